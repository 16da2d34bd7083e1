import type { Actor, UsedKey } from "../../core/access/access-request.ts";
import type { IdentityId } from "../../core/values/ids.ts";
import { peopleBehind } from "../../core/values/identity-origins.ts";
import { isActive, type Identity, type Role, type Via } from "../../core/values/identity.ts";
import { refuse, type Refusal } from "../../core/values/refusals.ts";
import type { IdempotentCall } from "./idempotent-call.ts";

/** Who calls, as their surface has authenticated them. */
export interface Caller {
  readonly identity: Identity;
  readonly roles: readonly Role[];
  readonly via: Via;
  /** The API key used, if one was. */
  readonly key?: UsedKey;
  /** Who made that key, and everyone who could act as them at that time. */
  readonly keyMadeBy?: readonly IdentityId[];
  /** The call was made with an Idempotency-Key. */
  readonly idempotentCall?: IdempotentCall;
}

export function actorOf(caller: Caller): Actor {
  const { identity, via, key } = caller;
  return {
    type: identity.kind === "HUMAN" ? "human" : "service",
    id: identity.id,
    name: identity.name,
    via,
    ...(key !== undefined && { key }),
  };
}

/** A refusal unless the caller has one of these roles and is active. */
export function lacksRole(caller: Caller, ...anyOf: readonly Role[]): Refusal | undefined {
  if (!isActive(caller.identity)) {
    return refuse(
      "identity_inactive",
      `${caller.identity.name} is not active; an administrator can change that.`,
    );
  }
  if (anyOf.some((role) => caller.roles.includes(role))) return undefined;
  return refuse("missing_role", `This needs a key with the role ${anyOf.join(" or ")}.`);
}

/**
 * Who is responsible for what this caller creates: the caller, and everyone who has influenced how they are recognised.
 */
export function makersOf({ identity, via, keyMadeBy = [] }: Caller): readonly IdentityId[] {
  return [...new Set([identity.id, ...peopleBehind(identity, via, keyMadeBy)])];
}

export function mayReadAll(caller: Caller): boolean {
  return caller.roles.includes("admin") || caller.roles.includes("auditor");
}

export function isSelf(caller: Caller, id: IdentityId): boolean {
  return caller.identity.id === id;
}

import { systemActor } from "../../core/access/access-case.ts";
import type { Actor } from "../../core/access/access-request.ts";
import { instant, type GrantId } from "../../core/values/ids.ts";
import { decideMoved } from "../../core/decisions/decide-provisioning.ts";
import { targetOf, type Grant } from "../../core/access/grant.ts";
import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import { secondMs } from "../../core/values/time.ts";
import { actorOf, lacksRole, type Caller } from "../ports/caller.ts";
import type { Connector } from "../ports/connector.ts";
import type { ConnectorAddresses, ConnectorSet, ConnectorTrouble } from "../ports/connector-registry.ts";
import { decideGrant } from "../decisions/decide-grant.ts";
import type { RedactTokens } from "../guards/redact-tokens.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import { whyNotSameTarget, type HeldObject } from "./verify-same-target.ts";
import { recordOnly } from "../decisions/decide-and-commit.ts";

/**
 * A connector whose address has changed while it holds objects. The new address is used once the target proves to be
 * the same one, nothing is held any more, or an administrator confirms it. Until then the former address stays in use.
 */

/** How long the calls to both addresses may take. */
const proofWithinMs = 5 * secondMs;

/** Everything our records expect at a connector. */
export async function heldAt(
  { store }: Pick<ServiceContext, "store">,
  name: string,
): Promise<readonly HeldObject[]> {
  const held = new Map<GrantId, HeldObject>();
  const add = (grant: Grant | undefined): void => {
    const target = grant && targetOf(grant, name);
    if (grant !== undefined && target !== undefined) held.set(grant.id, { grant, target });
  };
  for (let after: GrantId | undefined; ;) {
    const grants = await store.grantsAt(name, pageSize, after);
    for (const grant of grants) add(grant);
    after = grants.at(-1)?.id;
    if (grants.length < pageSize) break;
  }
  for (const { grantId } of await store.toTakeBackAt(name, everything, takeBacksMax)) {
    add((await store.grant(grantId))?.grant);
  }
  return [...held.values()];
}

const pageSize = 200;
/** Later than the start of every take-back. */
const everything = instant(Number.MAX_SAFE_INTEGER);
/** More than a target ever has to take back at the same time. */
const takeBacksMax = 100_000;

/** Why `next` is not proven to lead to the target with the held objects; undefined: it is proven. */
export async function whyUnproven(
  context: Pick<ServiceContext, "store">,
  next: Connector,
  former: Connector | undefined,
): Promise<string | undefined> {
  const held = await heldAt(context, next.name);
  return whyNotSameTarget(held, next, former, AbortSignal.timeout(proofWithinMs));
}

/** How it was proven that the new address leads to the same target. */
export interface AddressChange {
  readonly from: string;
  readonly to: string;
  readonly proof: "same_target" | "nothing_held" | "confirmed";
  readonly by: Actor;
  readonly reason?: string;
}

/** Records the new address. From now on all held objects are expected there. */
export async function moveHeld(context: ServiceContext, name: string, change: AddressChange): Promise<void> {
  const { by, ...data } = change;
  const held = await heldAt(context, name);
  const at = context.runtime.now();
  const action = "connector.address_changed" as const;
  await context.store.commit(
    recordOnly([{ at, action, actor: by, data: { connector: name, ...data, objects: held.length } }]),
  );
  for (const { grant } of held) {
    await decideGrant(context, grant.id, (now, moment) => decideMoved(now, name, change.to, moment));
  }
}

/** Checks every unproven address again. Called at each tick, and cheap when there is none. */
export async function recheckAddresses(
  context: ServiceContext,
  set: Pick<ConnectorSet, "current" | "troubles" | "accept">,
): Promise<readonly string[]> {
  const accepted: string[] = [];
  for (const [name, { proposed }] of set.troubles()) {
    const to = proposed?.place;
    if (proposed === undefined || to === undefined) continue;
    const [from] = (await context.store.connectorsInUse()).flatMap(({ connector, place }) =>
      connector === name && place !== null && place !== to ? [place] : [],
    );
    const why =
      from === undefined ? undefined : await whyUnproven(context, proposed, set.current().get(name));
    if (why !== undefined) continue;
    const proof = from === undefined ? "nothing_held" : "same_target";
    await moveHeld(context, name, { from: from ?? "nothing", to, proof, by: systemActor });
    await set.accept(name, proposed);
    accepted.push(name);
  }
  return accepted;
}

/** An administrator confirms that the new address leads to the same target. */
export type ConfirmAddress = (
  caller: Caller,
  name: string,
  ask: { readonly place: string; readonly reason: string },
) => Promise<{ readonly connector: string; readonly place: string } | Refusal>;

export function createConfirmAddress(
  context: ServiceContext,
  addresses: ConnectorAddresses,
  redactTokens: RedactTokens,
): ConfirmAddress {
  return async (caller, name, ask) => {
    const missing = lacksRole(caller, "admin");
    if (missing !== undefined) return missing;
    const reason = await redactTokens(ask.reason);
    const found = proposedOf(addresses.troubles().get(name), name, ask.place);
    if (isRefusal(found)) return found;
    const { place } = ask;
    const inUse = await context.store.connectorsInUse();
    const from = inUse.find((one) => one.connector === name && one.place !== place)?.place ?? "nothing";
    await moveHeld(context, name, { from, to: place, proof: "confirmed", by: actorOf(caller), reason });
    await addresses.accept(name, found);
    return { connector: name, place };
  };
}

function proposedOf(trouble: ConnectorTrouble | undefined, name: string, place: string): Connector | Refusal {
  const proposed = trouble?.proposed;
  if (proposed === undefined) {
    return refuse("not_found", `The connector ${name.slice(0, 80)} has no new address to confirm.`);
  }
  if (proposed.place === place) return proposed;
  const message = `must be the new address, ${proposed.place ?? "which has no name"}`;
  return refuse("invalid_body", "This is not the address that waits to be confirmed.", {
    errors: [{ path: "place", message }],
  });
}

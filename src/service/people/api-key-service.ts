import type { Actor } from "../../core/access/access-request.ts";
import { formatToken, parseToken } from "../../core/values/token-format.ts";
import { makeId, parseId, type IdentityId, type Instant } from "../../core/values/ids.ts";
import { isActive, type Role } from "../../core/values/identity.ts";
import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import { dayMs, plus } from "../../core/values/time.ts";
import { unknownIdentity } from "../ports/request-input.ts";
import { actorOf, lacksRole, makersOf, type Caller } from "../ports/caller.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import { findNamedIdentity } from "./find-identity.ts";
import {
  StoreUnavailable,
  type ApiKey,
  type NewEffect,
  type Page,
  type PageQuery,
  type Step,
  type Versioned,
} from "../ports/store.ts";
import { decideAndCommit } from "../decisions/decide-and-commit.ts";
import { expectUnchanged, newEffect } from "../decisions/build-step.ts";

/** A key lives 90 days by default, and at most a year. */
export const keyLifeDefaultMs = 90 * dayMs;
export const keyLifeMaxMs = 366 * dayMs;
/** How long before its expiry a key's owner is notified. Keys that live less than two weeks are too short for that. */
export const keyExpiryNoticeMs = 7 * dayMs;
const keyLifeForNoticeMs = 14 * dayMs;

export interface KeyInput {
  readonly identityId: string;
  readonly roles: readonly Role[];
  readonly name: string | null;
  readonly expiresAt?: Instant;
}

export interface NewKey {
  readonly key: ApiKey;
  /** Shown in this one answer only. */
  readonly token: string;
}

export interface ApiKeyService {
  /** The caller with this key, if it is active. */
  authenticate(token: string): Promise<Caller | Refusal>;
  list(caller: Caller, page: PageQuery): Promise<Page<ApiKey> | Refusal>;
  create(caller: Caller, input: KeyInput): Promise<NewKey | Refusal>;
  remove(caller: Caller, id: string): Promise<ApiKey | Refusal>;
  /** Ends a leaked key by its hash. */
  readonly end: (hash: string, by: Actor) => Promise<void>;
}

const notValid = "Invalid API key. Send an active key as Authorization: Bearer kd_live_….";

export function createApiKeyService(context: ServiceContext): ApiKeyService {
  const { store } = context;
  return {
    authenticate: (token) => authenticate(context, token),
    list: async (caller, page) => lacksRole(caller, "admin", "auditor") ?? store.keys(page),
    create: async (caller, input) => lacksRole(caller, "admin") ?? create(context, caller, input),
    remove: async (caller, id) =>
      lacksRole(caller, "admin") ??
      decideAndCommit(store, async () => {
        const keyId = parseId("key", id);
        const found = keyId === undefined ? undefined : await store.key(keyId);
        if (found === undefined || found.value.deletedAt !== null) {
          return refuse("not_found", `There is no key "${id.slice(0, 80)}".`);
        }
        const { step, key } = deletedStep(context, found, actorOf(caller));
        return { step, result: key };
      }),
    async end(hash, by) {
      const outcome = await decideAndCommit(store, async () => {
        const found = await store.keyByHash(hash);
        if (found === undefined || found.key.value.deletedAt !== null)
          return refuse("not_found", "No such key.");
        return { step: deletedStep(context, found.key, by).step, result: true };
      });
      // An unknown token is fine; a failure to end a known one is not.
      if (isRefusal(outcome) && outcome.refused !== "not_found") throw new StoreUnavailable(outcome.detail);
    },
  };
}

async function authenticate({ store, runtime }: ServiceContext, token: string): Promise<Caller | Refusal> {
  if (parseToken(token)?.kind !== "live") return refuse("unauthenticated", notValid);
  const found = await store.keyByHash(runtime.sha256(token));
  if (found === undefined || !isActiveKey(found.key.value, runtime.now())) {
    return refuse("unauthenticated", notValid);
  }
  const { id, roles, mintedBy, madeBy = [mintedBy] } = found.key.value;
  if (!isActive(found.identity)) {
    return refuse(
      "identity_inactive",
      `${found.identity.name} is not active; an administrator can change that.`,
    );
  }
  return { identity: found.identity, roles, via: "api", key: { id, mintedBy }, keyMadeBy: madeBy };
}

async function create(context: ServiceContext, caller: Caller, input: KeyInput): Promise<NewKey | Refusal> {
  const { store, runtime } = context;
  const now = runtime.now();
  const expiresAt = input.expiresAt ?? plus(now, keyLifeDefaultMs);
  if (expiresAt <= now || expiresAt > plus(now, keyLifeMaxMs)) {
    return refuse("invalid_body", "A key ends in the future, at most a year from now.", {
      errors: [{ path: "expiresAt", message: "must lie in the future, at most a year away" }],
    });
  }
  const token = formatToken("live", runtime.tokenSecret());
  return decideAndCommit(store, async () => {
    const identity = await findNamedIdentity(store, input.identityId);
    if (identity === undefined) return unknownIdentity(input.identityId);
    if (!isActive(identity.value)) {
      return refuse(
        "identity_inactive",
        `${identity.value.name} is not active, so a key would open nothing.`,
      );
    }
    const key = newKeyRecord(context, token, {
      ...input,
      identityId: identity.value.id,
      expiresAt,
      mintedBy: caller.identity.id,
      madeBy: makersOf(caller),
    });
    const step = createdStep(context, key, actorOf(caller));
    return {
      step: { ...step, expects: [...step.expects, expectUnchanged("identity", identity)] },
      result: { key, token },
    };
  });
}

function isActiveKey(key: ApiKey, now: Instant): boolean {
  return key.deletedAt === null && (key.expiresAt === null || now < key.expiresAt);
}

/** The record of a key. The token itself is stored nowhere. */
export function newKeyRecord(
  { runtime }: Pick<ServiceContext, "runtime">,
  token: string,
  more: Pick<ApiKey, "roles" | "name" | "mintedBy" | "madeBy" | "expiresAt"> & {
    readonly identityId: IdentityId;
  },
): ApiKey {
  const { identityId, roles, name, mintedBy, madeBy = [mintedBy], expiresAt } = more;
  return {
    id: makeId("key", runtime.idSuffix()),
    identityId,
    roles: [...new Set(roles)],
    name,
    hash: runtime.sha256(token),
    last4: token.slice(-4),
    mintedBy,
    madeBy,
    createdAt: runtime.now(),
    expiresAt,
    deletedAt: null,
  };
}

/** Stores a new key, records it, and notifies its owner. */
export function createdStep({ runtime }: Pick<ServiceContext, "runtime">, key: ApiKey, by: Actor): Step {
  const now = runtime.now();
  const { id, identityId, roles, name, last4, mintedBy } = key;
  return {
    expects: [{ kind: "key", id, version: 0 }],
    writes: [{ kind: "key", value: key }],
    unique: [],
    counters: [],
    audit: [
      {
        at: now,
        action: "api_key.created",
        actor: by,
        identity: identityId,
        data: { key: id, roles, last4, mintedBy, ...(name !== null && { name }) },
      },
    ],
    effects: [
      newEffect({ kind: "announce_key", keyId: id, identityId }, { now, runtime }),
      ...expiryNotice(key, { now, runtime }),
    ],
  };
}

/** Notifies the owner a week before the key expires; see {@link keyExpiryNoticeMs}. */
function expiryNotice(
  { id, identityId, createdAt, expiresAt }: ApiKey,
  context: Parameters<typeof newEffect>[1],
): readonly NewEffect[] {
  if (expiresAt === null || expiresAt - createdAt < keyLifeForNoticeMs) return [];
  const effect = newEffect({ kind: "announce_key_expiry", keyId: id, identityId }, context);
  return [{ ...effect, dueAt: plus(expiresAt, -keyExpiryNoticeMs) }];
}

/** The key stops working with this commit. */
export function deletedStep(
  { runtime }: Pick<ServiceContext, "runtime">,
  found: Versioned<ApiKey>,
  by: Actor,
): { readonly step: Step; readonly key: ApiKey } {
  const now = runtime.now();
  const key: ApiKey = { ...found.value, deletedAt: now };
  return {
    key,
    step: {
      expects: [expectUnchanged("key", found)],
      writes: [{ kind: "key", value: key }],
      unique: [],
      counters: [],
      audit: [
        {
          at: now,
          action: "api_key.deleted",
          actor: by,
          identity: key.identityId,
          data: { key: key.id, last4: key.last4 },
        },
      ],
      effects: [],
    },
  };
}

/**
 * Branded types and every cast that makes one. A `RequestId` is a string at run time. The brand makes it a type error
 * to pass a grant's id for a request's, or a number of milliseconds for an instant.
 */
declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

export type IdentityId = Brand<string, "IdentityId">;
export type RequestId = Brand<string, "RequestId">;
export type GrantId = Brand<string, "GrantId">;
export type CredentialId = Brand<string, "CredentialId">;
export type PolicyId = Brand<string, "PolicyId">;
export type KeyId = Brand<string, "KeyId">;
/** One row of the outbox. */
export type EffectId = Brand<string, "EffectId">;

/** A parsed `action:resource`; see scopes.ts. */
export type Scope = Brand<string, "Scope">;
/** Milliseconds since 1970-01-01T00:00:00Z, whole. Durations are plain numbers whose names end in `Ms`. */
export type Instant = Brand<number, "Instant">;

interface Ids {
  identity: IdentityId;
  request: RequestId;
  grant: GrantId;
  credential: CredentialId;
  policy: PolicyId;
  key: KeyId;
  effect: EffectId;
}

const prefixes: { readonly [Kind in keyof Ids]: string } = {
  identity: "id_",
  request: "jit_",
  grant: "gr_",
  credential: "cred_",
  policy: "pol_",
  key: "key_",
  effect: "evt_",
};

const idSuffixPattern = /^[A-Za-z0-9_-]{1,64}$/;

/** The id when `text` is the kind's prefix and 1 to 64 of `A-Za-z0-9_-`, else undefined. */
export function parseId<Kind extends keyof Ids>(kind: Kind, text: string): Ids[Kind] | undefined {
  const prefix = prefixes[kind];
  return text.startsWith(prefix) && idSuffixPattern.test(text.slice(prefix.length))
    ? (text as Ids[Kind])
    : undefined;
}

/** Makes an id from a unique suffix. Only 0-9a-z, because ids become PostgreSQL role names. */
export function makeId<Kind extends keyof Ids>(kind: Kind, suffix: string): Ids[Kind] {
  return (prefixes[kind] + suffix) as Ids[Kind];
}

/** Only for scopes.ts, which has checked the grammar. */
export function brandScope(text: string): Scope {
  return text as Scope;
}

/** An instant from epoch milliseconds; fractions are cut. */
export function instant(epochMs: number): Instant {
  return Math.trunc(epochMs) as Instant;
}

/**
 * Branded values and every cast that makes one. A `RequestId` is a string at run time; the brand keeps a grant's id
 * from being passed where a request's is meant, and a number of milliseconds from being taken for an instant.
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

/** `action:resource`, already parsed once; see scopes.ts. */
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

/** The id when `text` has the kind's prefix and 1 to 64 of `A-Za-z0-9_-` behind it, else undefined. */
export function parseId<Kind extends keyof Ids>(kind: Kind, text: string): Ids[Kind] | undefined {
  const prefix = prefixes[kind];
  return text.startsWith(prefix) && idSuffixPattern.test(text.slice(prefix.length))
    ? (text as Ids[Kind])
    : undefined;
}

/** A new id from a tail that was given to nothing else; `0-9a-z` alone are safe inside a role name. */
export function makeId<Kind extends keyof Ids>(kind: Kind, tail: string): Ids[Kind] {
  return (prefixes[kind] + tail) as Ids[Kind];
}

/** For scopes.ts alone, which has checked the grammar. */
export function brandScope(text: string): Scope {
  return text as Scope;
}

/** An instant from epoch milliseconds; fractions are cut. */
export function instant(epochMs: number): Instant {
  return Math.trunc(epochMs) as Instant;
}

import { importJWK } from "jose";
import { z } from "zod";
import { dayMs, minuteMs, secondMs } from "../../../core/values/time.ts";
import { resolveWithin } from "../../../service/async/resolve-within.ts";
import { createRefreshedValue, type Fetched } from "../connection/refreshed-value.ts";
import { isTrustedUrl } from "./trusted-url.ts";

/** A signing key of the Bot Framework, with the channels it is endorsed for. */
export interface SigningKey {
  readonly key: Awaited<ReturnType<typeof importJWK>>;
  readonly endorsements: readonly string[];
}

export interface SigningKeys {
  /** Undefined: the Bot Framework has no such key. @throws when the keys cannot be fetched at the moment. */
  find(kid: string): Promise<SigningKey | undefined>;
}

/** Keys change every few weeks. After this age they are fetched again in the background. */
const freshMs = dayMs / 2;
/** After this age a call waits for fresh keys, so that a withdrawn key is rejected within a day. */
const verifiedMaxMs = dayMs;
/** If the keys cannot be fetched, the ones we have stay valid for this long. */
const staleMaxMs = 5 * dayMs;
/** Limits the load that junk tokens cause at the key server. */
const attemptsPerMinuteMax = 6;
/** Time limit of fetching the metadata and the keys together. */
const fetchTimeoutMs = 3 * secondMs;
/** How long a call with a known key waits for fresh keys. */
const refreshWaitMs = secondMs;
const keysMax = 200;

const metadataSchema = z.object({ jwks_uri: z.string() });
const keySchema = z.object({
  kty: z.literal("RSA"),
  kid: z.string().min(1),
  n: z.string(),
  e: z.string(),
  endorsements: z.array(z.string()).default([]),
});
const keySetSchema = z.object({ keys: z.array(z.unknown()).max(keysMax) });

interface KeySet {
  readonly keys: ReadonlyMap<string, SigningKey>;
  readonly fetchedAt: number;
}

/**
 * The keys behind an OpenID metadata address. They are fetched on first use and when a token names an unknown key. A call
 * with a known key does not wait for the key server, unless the keys are older than a day; then it waits a second, to
 * learn of withdrawn keys.
 */
export function createSigningKeys(
  openIdMetadataUrl: string,
  now: () => number,
  random?: () => number,
): SigningKeys {
  let attempts: readonly number[] = [];
  const fetchKeySet = async (): Promise<Fetched<KeySet>> => {
    const fetchedAt = now();
    attempts = [...attempts, fetchedAt];
    const keys = await fetchKeys(openIdMetadataUrl);
    return {
      value: { keys, fetchedAt },
      freshUntil: fetchedAt + freshMs,
      usableUntil: fetchedAt + staleMaxMs,
    };
  };
  const keySet = createRefreshedValue(fetchKeySet, now, random);

  /** Shared by all calls that wait for one fetch, so that its wait is not repeated by later calls. */
  let waiting: Promise<unknown> | undefined;
  const waitForRefresh = async (): Promise<void> => {
    if (waiting === undefined) {
      const fetching = keySet
        .refresh()
        .catch(() => undefined)
        .finally(() => {
          waiting = undefined;
        });
      waiting = resolveWithin(fetching, refreshWaitMs);
    }
    await waiting;
  };

  const mayTry = (): boolean => {
    attempts = attempts.filter((at) => now() - at < minuteMs);
    return attempts.length < attemptsPerMinuteMax;
  };

  return {
    async find(kid) {
      const held = keySet.usable();
      if (held?.keys.has(kid) === true) {
        if (now() - held.fetchedAt >= verifiedMaxMs) await waitForRefresh();
        else if (!keySet.isFresh()) keySet.refreshInBackground();
      } else if (mayTry()) {
        await keySet.refresh();
      } else if (held === undefined) {
        throw new Error("the keys of the Bot Framework cannot be fetched");
      }
      return keySet.usable()?.keys.get(kid);
    },
  };
}

async function fetchKeys(openIdMetadataUrl: string): Promise<ReadonlyMap<string, SigningKey>> {
  const limit = AbortSignal.timeout(fetchTimeoutMs);
  const { jwks_uri: address } = metadataSchema.parse(await fetchJson(openIdMetadataUrl, limit));
  if (!isTrustedUrl(address)) throw new Error("the OpenID metadata names a key address without https");
  const keys = new Map<string, SigningKey>();
  for (const one of keySetSchema.parse(await fetchJson(address, limit)).keys) {
    const read = keySchema.safeParse(one);
    // The set may contain keys of a kind that we do not use.
    if (!read.success) continue;
    const { kty, kid, n, e, endorsements } = read.data;
    keys.set(kid, { key: await importJWK({ kty, n, e }, "RS256"), endorsements });
  }
  return keys;
}

async function fetchJson(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, { redirect: "error", signal });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`the keys of the Bot Framework cannot be fetched: ${response.status}`);
  }
  return response.json();
}

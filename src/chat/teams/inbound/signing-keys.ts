import { importJWK } from "jose";
import { z } from "zod";
import { dayMs, minuteMs, secondMs } from "../../../core/values/time.ts";
import { resolveWithin } from "../../../service/async/resolve-within.ts";
import { createRefreshedValue, type Fetched } from "../connection/refreshed-value.ts";
import { isTrustedUrl } from "./trusted-url.ts";

/** A key of the Bot Framework, and the channels it may speak for. */
export interface SigningKey {
  readonly key: Awaited<ReturnType<typeof importJWK>>;
  readonly endorsements: readonly string[];
}

export interface SigningKeys {
  /** Undefined: nobody we trust has such a key. @throws when that cannot be found out at the moment. */
  find(kid: string): Promise<SigningKey | undefined>;
}

/** Keys change every few weeks; from this age on they are fetched again while they go on being used. */
const freshMs = dayMs / 2;
/** A key that was withdrawn stops counting after this, as far as the key server answers. */
const settledMs = dayMs;
/** When they cannot be fetched, the ones we have go on being good for this long. */
const staleMaxMs = 5 * dayMs;
/** Junk tokens must not make us a nuisance to the key server. */
const attemptsPerMinuteMax = 6;
/** One fetch, of the metadata and of the keys they name. */
const fetchTimeoutMs = 3 * secondMs;
/** How long calls with a key that we have wait for a fetch to say whether it was withdrawn. */
const timeoutMs = secondMs;
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
 * The keys behind an OpenID metadata address, fetched when first asked for and when an unknown one is met. A call whose
 * key we have does not wait for the key server: only keys older than a day are worth a second to find out whether they
 * were withdrawn.
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

  /** Ends when the fetch does, or when it has taken too long: who comes later does not wait for it again. */
  let timeout: Promise<unknown> | undefined;
  const settle = async (): Promise<void> => {
    if (timeout === undefined) {
      const fetching = keySet
        .refresh()
        .catch(() => undefined)
        .finally(() => {
          timeout = undefined;
        });
      timeout = resolveWithin(fetching, timeoutMs);
    }
    await timeout;
  };

  const mayTry = (): boolean => {
    attempts = attempts.filter((at) => now() - at < minuteMs);
    return attempts.length < attemptsPerMinuteMax;
  };

  return {
    async find(kid) {
      const held = keySet.usable();
      if (held?.keys.has(kid) === true) {
        if (now() - held.fetchedAt >= settledMs) await settle();
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
  if (!isTrustedUrl(address)) throw new Error("the OpenID metadata names keys that are not behind https");
  const keys = new Map<string, SigningKey>();
  for (const one of keySetSchema.parse(await fetchJson(address, limit)).keys) {
    const read = keySchema.safeParse(one);
    // What is of no use to us may stand beside what is.
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

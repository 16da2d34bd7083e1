import { importJWK } from "jose";
import { z } from "zod";
import { dayMs, minuteMs, secondMs } from "../core/time.ts";
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

/** Keys change every few weeks; a day old they are fetched again. */
const freshMs = dayMs;
/** When they cannot be fetched, the ones we have go on being good for this long. */
const staleMaxMs = 5 * dayMs;
/** Junk tokens must not make us a nuisance to the key server. */
const attemptsPerMinuteMax = 6;
const fetchTimeoutMs = 5 * secondMs;
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
  readonly at: number;
}

/** The keys behind an OpenID metadata address, fetched when first asked for and when an unknown one is met. */
export function createSigningKeys(openIdMetadataUrl: string, now: () => number): SigningKeys {
  let held: KeySet | undefined;
  let attempts: readonly number[] = [];
  let fetching: Promise<void> | undefined;

  const refresh = (): Promise<void> => {
    if (fetching !== undefined) return fetching;
    attempts = [...attempts, now()];
    const fetchAll = async (): Promise<void> => {
      held = { keys: await fetchKeys(openIdMetadataUrl), at: now() };
    };
    fetching = fetchAll().finally(() => {
      fetching = undefined;
    });
    return fetching;
  };

  const mayTry = (): boolean => {
    attempts = attempts.filter((at) => now() - at < minuteMs);
    return fetching !== undefined || attempts.length < attemptsPerMinuteMax;
  };

  return {
    async find(kid) {
      const age = held === undefined ? Number.POSITIVE_INFINITY : now() - held.at;
      const isKnown = held?.keys.has(kid) === true;
      if ((!isKnown || age > freshMs) && mayTry()) {
        try {
          await refresh();
        } catch (error) {
          if (!isKnown || age > staleMaxMs) throw error;
        }
      } else if (held === undefined || age > staleMaxMs) {
        throw new Error("the keys of the Bot Framework cannot be fetched");
      }
      return held?.keys.get(kid);
    },
  };
}

async function fetchKeys(openIdMetadataUrl: string): Promise<ReadonlyMap<string, SigningKey>> {
  const { jwks_uri: address } = metadataSchema.parse(await fetchJson(openIdMetadataUrl));
  if (!isTrustedUrl(address)) throw new Error("the OpenID metadata names keys that are not behind https");
  const keys = new Map<string, SigningKey>();
  for (const one of keySetSchema.parse(await fetchJson(address)).keys) {
    const read = keySchema.safeParse(one);
    // What is of no use to us may stand beside what is.
    if (!read.success) continue;
    const { kty, kid, n, e, endorsements } = read.data;
    keys.set(kid, { key: await importJWK({ kty, n, e }, "RS256"), endorsements });
  }
  return keys;
}

async function fetchJson(url: string): Promise<unknown> {
  const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(fetchTimeoutMs) });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`the keys of the Bot Framework cannot be fetched: ${response.status}`);
  }
  return response.json();
}

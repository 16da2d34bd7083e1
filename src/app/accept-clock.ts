import { instant, type Instant } from "../core/values/ids.ts";
import { createClock } from "./process/clock.ts";
import { createRuntime } from "./process/runtime.ts";
import { acceptClock, givenAfter } from "../service/grants/accept-clock.ts";
import { createRequestChanges } from "../service/ports/request-changes.ts";
import { createGrantService } from "../service/grants/grant-service.ts";
import type { ServiceContext } from "../service/decisions/load-facts.ts";
import { createRulebookReader } from "../service/decisions/rulebook-reader.ts";
import { createSlices } from "../service/async/time-slices.ts";
import { createSurfaces } from "../service/messaging/surfaces.ts";
import { openStore } from "../store/open-store.ts";
import { packageRoot } from "./package-root.ts";
import { createExpirySweep, createRequestSweep } from "../background/sweeps/request-sweeps.ts";

export interface WrongClock {
  /** The recorded time of the last change. */
  readonly from: Instant;
  /** The time of the system clock. */
  readonly to: Instant;
  /** How many requests and keys end, because they were granted after that time. */
  readonly requests: number;
  readonly keys: number;
}

/**
 * Records every end that the recorded time implies, then sets the recorded time back to the system clock. Returns
 * undefined when the system clock is not behind and nothing was changed.
 *
 * @param confirm decides whether to continue; with false nothing is changed.
 */
export async function acceptSystemClock(
  databaseFile: string,
  confirm: (found: WrongClock) => Promise<boolean>,
): Promise<(WrongClock & { readonly isAccepted: boolean }) | undefined> {
  let fatal: Error | undefined;
  const store = await openStore({ databaseFile, packageRoot, onFatal: (error) => (fatal = error) });
  try {
    const from = await store.clockMark();
    const to = instant(Date.now());
    if (from === undefined || from <= to) return undefined;
    const clock = createClock(
      { system: Date.now, monotonic: () => performance.now() },
      { lastCommitAt: from },
    );
    const runtime = createRuntime(clock.now);
    const context: ServiceContext = {
      store,
      requestChanges: createRequestChanges(),
      runtime,
      accessHold: () => undefined,
      checkAuditHead: async () => "matches",
      rulebook: createRulebookReader(store),
      slices: createSlices(),
      surfaces: createSurfaces(),
      connectors: () => new Map(),
    };
    const given = await givenAfter(context, to);
    const found = { from, to, requests: given.requests.length, keys: given.keys.length };
    if (!(await confirm(found))) return { ...found, isAccepted: false };
    const grants = createGrantService(context);
    const { signal } = new AbortController();
    for (const createSweep of [createExpirySweep, createRequestSweep]) {
      await createSweep(store, grants, runtime).run(signal);
    }
    await acceptClock(context, clock.now(), to);
    if (fatal !== undefined) throw fatal;
    return { ...found, isAccepted: true };
  } finally {
    await store.close();
  }
}

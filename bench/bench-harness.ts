import { join } from "node:path";
import { createRunners } from "../src/background/outbox/runners/effect-runners.ts";
import { createRelay, type Relay } from "../src/background/outbox/relay.ts";
import { createRuntime } from "../src/app/process/runtime.ts";
import { createRequestChanges } from "../src/service/ports/request-changes.ts";
import type { ServiceContext } from "../src/service/decisions/load-facts.ts";
import { createRulebookReader } from "../src/service/decisions/rulebook-reader.ts";
import { createServices } from "../src/service/services.ts";
import { createSlices } from "../src/service/async/time-slices.ts";
import { createSurfaces } from "../src/service/messaging/surfaces.ts";
import { withCommitListeners } from "../src/service/ports/observed-store.ts";
import { openSqliteStore } from "../src/store/sqlite/sqlite-store.ts";
import { createHousekeepingSweep } from "../src/background/sweeps/housekeeping-sweep.ts";
import { createExpirySweep, createRequestSweep } from "../src/background/sweeps/request-sweeps.ts";
import type { Instant } from "../src/core/values/ids.ts";

/** The application as main.ts builds it, without surfaces and HTTP, and with a given clock. */
export async function openBenchHarness(folder: string, now: () => Instant) {
  const runtime = createRuntime(now);
  const requestChanges = createRequestChanges();
  const plain = await openSqliteStore({ file: join(folder, "data", "jit.db"), onFatal: fail });
  let relay: Relay | undefined;
  const store = withCommitListeners(plain, [
    ({ effects }) => (effects.length > 0 ? relay?.wake() : undefined),
    requestChanges.onCommit,
  ]);
  const rulebook = createRulebookReader(store);
  const context: ServiceContext = {
    store,
    requestChanges,
    runtime,
    accessHold: () => undefined,
    checkAuditHead: async () => "matches",
    rulebook,
    slices: createSlices(),
    surfaces: createSurfaces(),
    connectors: () => new Map(),
  };
  const services = createServices(context, async () => {}, fail);
  const runners = createRunners(context, services, { info: () => {}, warn: () => {} });
  relay = createRelay(store, runtime, runners, fail);
  const sweeps = [
    createExpirySweep(store, services.grants, runtime),
    createRequestSweep(store, services.grants, runtime),
    createHousekeepingSweep(services, relay, runtime),
  ];
  return {
    relay,
    /** Runs all sweeps once, as the scheduler does. */
    tick: async (): Promise<void> => {
      for (const sweep of sweeps) await sweep.run(new AbortController().signal);
    },
    close: async (): Promise<void> => {
      await relay?.stop();
      await store.close();
    },
  };
}

function fail(fault: unknown): never {
  throw fault;
}

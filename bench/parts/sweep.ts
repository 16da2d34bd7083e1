import Database from "better-sqlite3";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Instant } from "../../src/core/values/ids.ts";
import { hourMs, plus } from "../../src/core/values/time.ts";
import { noon } from "../../test/support/fixtures.ts";
import { prepareBareExpiry } from "../bare/expiry.ts";
import { openBenchHarness } from "../bench-harness.ts";
import type { Part, Row } from "../part.ts";
import { inTemporaryFolder } from "../processes.ts";
import { measureAlternately, median, summary, type Round } from "../rounds.ts";
import { addGrants, addPeople, seed } from "../seeding.ts";

const million = 1_000_000;
const few = 1_000;
const due = 10_000;
const rounds = 3;
/** At each of these hours ten thousand grants end, alternately for us and the bare loop. The rest end much later. */
const endingHours = 2 * rounds;
const idleTicks = 200;
const holdAimMs = 25;

/** Sweeps a million grants, of which none or 10,000 are due. Every other tick is measured on a thousand. */
export const measureSweep: Part = () =>
  inTemporaryFolder(async (folder) => {
    const [large, small] = [join(folder, "large"), join(folder, "small")];
    fill(large, million);
    fill(small, few);
    let now: Instant = noon;
    const harness = await openBenchHarness(large, () => now);
    const client = new Database(join(large, "data", "jit.db"));
    client.pragma("synchronous = FULL");
    const bareExpiry = prepareBareExpiry(client);
    try {
      const idle = await idleRow(harness, small);
      const found: Round[] = [];
      const holds: number[] = [];
      for (let round = 0; round < rounds; round++) {
        now = plus(noon, (2 * round + 1) * hourMs);
        const { tookMs, holdMs } = await swept(harness);
        holds.push(holdMs);
        now = plus(now, hourMs);
        // Our read snapshot lasts until the tick ends, and no checkpoint could run meanwhile.
        await nextTurn();
        const start = performance.now();
        if (bareExpiry(now) !== due) throw new Error("not all that was due was found");
        found.push({ measured: (tookMs / due) * 1_000, raw: ((performance.now() - start) / due) * 1_000 });
        client.exec("DELETE FROM outbox");
        await nextTurn();
      }
      return [
        idle,
        {
          what: "Sweep of 10,000 due grants of 1,000,000",
          unit: "µs per grant",
          ...summary(found),
          expected: { atMost: 3 },
        },
        {
          what: "– longest hold of the event loop (raw: what is allowed)",
          unit: "ms",
          measured: median(holds),
          raw: holdAimMs,
          ratio: median(holds) / holdAimMs,
          expected: { atMost: 1 },
        },
      ];
    } finally {
      await harness.close();
      client.close();
    }
  });

type BenchHarness = Awaited<ReturnType<typeof openBenchHarness>>;

/** Times the sweep alone, and watches the event loop until the relay has notified everybody. */
async function swept(harness: BenchHarness): Promise<{ readonly tookMs: number; readonly holdMs: number }> {
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const start = performance.now();
  await harness.tick();
  const tookMs = performance.now() - start;
  await harness.relay.drain();
  loop.disable();
  return { tookMs, holdMs: loop.max / 1e6 };
}

async function idleRow(harness: BenchHarness, small: string): Promise<Row> {
  const other = await openBenchHarness(small, () => noon);
  const ticking = (one: BenchHarness) => async (): Promise<number> => {
    const start = performance.now();
    for (let tick = 0; tick < idleTicks; tick++) await one.tick();
    return ((performance.now() - start) / idleTicks) * 1_000;
  };
  const found = await measureAlternately(9, ticking(harness), ticking(other), 2);
  await other.close();
  return {
    what: "Tick with nothing due, 1,000,000 grants (raw: 1,000 grants)",
    unit: "µs",
    ...found,
    expected: { atMost: 1.5 },
  };
}

function fill(folder: string, count: number): void {
  seed(join(folder, "data", "jit.db"), (client) => {
    addPeople(client, few);
    // Scattered over the table, as in a real database.
    addGrants(client, count, few, noon, (index) => {
      const group = index % Math.floor(million / due);
      return plus(noon, (group < endingHours && count === million ? group + 1 : 100) * hourMs);
    });
  });
}

import { mkdirSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { join } from "node:path";
import type { Part } from "../part.ts";
import { inTemporaryFolder, startBare, startProgram, type Server } from "../processes.ts";
import { summary } from "../rounds.ts";

const rounds = 9;
/** What a start leaves to be tidied up is over by then. */
const settleMs = 200;

/** From the start of the process until it listens, on a database that is there already. */
export const measureStart: Part = () =>
  inTemporaryFolder(async (folder) => {
    mkdirSync(join(folder, "data"), { mode: 0o700 });
    writeFileSync(join(folder, "jit.yaml"), "{}\n");
    const found: { readonly ours: Start; readonly raw: Start }[] = [];
    for (let round = -1; round < rounds; round++) {
      const one = {
        ours: await startOf(() => startProgram(folder)),
        raw: await startOf(() => startBare("fastify.ts", folder)),
      };
      if (round >= 0) found.push(one);
    }
    const of = (pick: (start: Start) => number) =>
      summary(found.map((one) => ({ measured: pick(one.ours), raw: pick(one.raw) })));
    const aim = { atMost: 1.4 };
    return [
      { what: "Start until it listens", unit: "ms", ...of((one) => one.startMs), aim },
      { what: "– memory then", unit: "MB", ...of((one) => one.residentMb), aim },
    ];
  });

type Start = { readonly startMs: number; readonly residentMb: number };

async function startOf(start: () => Promise<Server>): Promise<Start> {
  const server = await start();
  await pause(settleMs);
  const residentMb = server.residentMb();
  await server.stop();
  return { startMs: server.startMs, residentMb };
}

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { join } from "node:path";
import type { Part } from "../part.ts";
import {
  inTemporaryFolder,
  packageRoot,
  startBare,
  startBuilt,
  startProgram,
  type Server,
} from "../processes.ts";
import { summary } from "../rounds.ts";

const rounds = 9;
/** Work that a start leaves for later has finished by then. */
const settleMs = 200;

/**
 * The time from the start of the process until it listens, on an existing database: the bundle of `npm run build`, and
 * the sources as with `npm start`. Both have the code that V8 compiled and cached in earlier starts.
 */
export const measureStart: Part = () =>
  inTemporaryFolder(async (folder) => {
    execFileSync(process.execPath, [join(packageRoot, "deploy/build.ts")]);
    mkdirSync(join(folder, "data"), { mode: 0o700 });
    writeFileSync(join(folder, "jit.yaml"), "{}\n");
    const found: { readonly built: Start; readonly sources: Start; readonly raw: Start }[] = [];
    for (let round = -1; round < rounds; round++) {
      const one = {
        built: await startOf(() => startBuilt(folder)),
        sources: await startOf(() => startProgram(folder)),
        raw: await startOf(() => startBare("fastify.ts", folder)),
      };
      if (round >= 0) found.push(one);
    }
    const of = (form: "built" | "sources", pick: (start: Start) => number) =>
      summary(found.map((one) => ({ measured: pick(one[form]), raw: pick(one.raw) })));
    const expected = { atMost: 1.6 };
    return [
      {
        what: "Start until it listens, as in the image",
        unit: "ms",
        ...of("built", (one) => one.startMs),
        expected,
      },
      { what: "– memory then", unit: "MB", ...of("built", (one) => one.residentMb), expected },
      { what: "– from the sources", unit: "ms", ...of("sources", (one) => one.startMs) },
      { what: "– memory then", unit: "MB", ...of("sources", (one) => one.residentMb) },
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

import { join } from "node:path";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import type { Part } from "../part.ts";
import { inTemporaryFolder } from "../processes.ts";
import { measureAlternately } from "../rounds.ts";
import { addPeople, seed } from "../seeding.ts";
import { openBareSteps, typicalStep } from "../steps.ts";

const stepsPerRound = 500;
/** Warm-up rounds, in which Node still compiles code. A service does that once in its life. */
const warmUpRounds = 20;

/** Commits typical steps one at a time; each is on disk before the next one begins. */
export const measureCommit: Part = () =>
  inTemporaryFolder(async (folder) => {
    const file = join(folder, "data", "jit.db");
    seed(file, (client) => addPeople(client, 1));
    const bare = openBareSteps(folder);
    const store = await openSqliteStore({
      file,
      onFatal: (error) => {
        throw error;
      },
    });
    let next = 0;
    const rate = async (): Promise<number> => {
      const steps = Array.from({ length: stepsPerRound }, () => typicalStep(next++));
      const start = performance.now();
      for (const step of steps) {
        const result = await store.commit(step);
        if (!("ok" in result)) throw new Error(JSON.stringify(result));
      }
      return (stepsPerRound / (performance.now() - start)) * 1_000;
    };
    try {
      const found = await measureAlternately(11, rate, () => bare.rate(stepsPerRound), warmUpRounds);
      return [{ what: "Steps, one durable commit each", unit: "1/s", ...found, expected: { atLeast: 0.8 } }];
    } finally {
      await store.close();
      bare.close();
    }
  });

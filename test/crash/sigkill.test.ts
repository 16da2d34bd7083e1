import { describe, expect, test } from "vitest";
import { askedBelow, autoBelow, manyCalls, noSweep, staff } from "../support/company-config.ts";
import { createSeededRandom } from "../support/seeded-random.ts";
import { api, type Person } from "../support/api-client.ts";
import { leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";
import { killedWhileStarting, pause, startProgram, type Program } from "../support/program.ts";
import { allRequests, endsCleanly, everyAnswerHolds } from "./assert-answers-hold.ts";
import { loadUntilGone } from "./client-load.ts";
import { emptyMemory, type Memory } from "./answer-ledger.ts";

leavesNothingBehind({ sideBySide: true });

const rounds = 6;
const countedMax = 40;
const heldMax = 12;
const emergenciesMax = 3;

const devs = [1, 2, 3, 4, 5, 6].map((number) => ({
  id: `id_dev${number}`,
  email: `dev${number}@company.com`,
  name: `Dev ${number}`,
}));

const config = {
  identities: [...staff, ...devs],
  policies: [
    autoBelow("auto:"),
    autoBelow("brief:"),
    autoBelow("counted:", { maxUsage: countedMax }),
    askedBelow("asked:", { stages: [{ approvers: ["group:dba"] }] }),
  ],
  limits: { pendingPerIdentity: heldMax, activePerIdentity: heldMax },
  breakGlass: {
    allowed: ["group:oncall"],
    limit: { max: emergenciesMax, per: "7d" },
    review: { by: ["group:security"] },
  },
};
const env = { ...noSweep, ...manyCalls };

const names = [...devs.map(({ id }) => id.slice(3)), "ann", "bob", "cid", "oncall"];

/** A new key for everybody, besides the ones of earlier lives. */
async function peopleOf(program: Program, memory: Memory): Promise<ReadonlyMap<string, Person>> {
  const people = new Map<string, Person>();
  for (const name of names) {
    const person = await program.person(name);
    people.set(name, person);
    memory.keys.set(person.key, person.id);
  }
  return people;
}

describe.concurrent("killed at any moment", () => {
  test("it has kept every answer it gave, and nothing is left half done", async () => {
    const random = createSeededRandom();
    const memory = emptyMemory();
    let program = await startProgram({ config, env });
    for (let round = 0; round < rounds; round++) {
      const people = await peopleOf(program, memory);
      const isCrowd = round % 2 === 1;
      const load = loadUntilGone(program, memory, random, people, isCrowd ? 8 : 2);
      await pause(150 + random.below(450));
      await program.kill();
      await load;
      program = await startProgram({ folder: program.folder, env });
      await everyAnswerHolds(program, memory);
    }
    expect(memory.odd).toEqual([]);
    process.stdout.write(`answers at stake: ${memory.answered}\n`);
    expect(memory.answered, "answers that were at stake").toBeGreaterThan(rounds * 5);

    for (const { id } of devs) {
      const key = [...memory.keys].findLast(([, owner]) => owner === id)?.[0] ?? "";
      await endsCleanly(program, memory, id, key);
    }
    await countersAreExact(program);
    await program.stop();
  });

  test("told to stop under load, it stops cleanly and has kept every answer too", async () => {
    const random = createSeededRandom();
    const memory = emptyMemory();
    const program = await startProgram({ config, env });
    const load = loadUntilGone(program, memory, random, await peopleOf(program, memory), 8);
    await pause(300 + random.below(300));
    await program.stop();
    await load;
    const again = await startProgram({ folder: program.folder, env });
    await everyAnswerHolds(again, memory);
    expect(memory.answered).toBeGreaterThan(0);
    await again.stop();
  });

  test("during its first start, the next one starts as if it were the first, with a key that works", async () => {
    const random = createSeededRandom();
    for (let round = 0; round < 5; round++) {
      const folder = temporaryFolder();
      await killedWhileStarting({ folder, config, env }, 150 + random.below(500));
      const program = await startProgram({ folder, env });
      expect((await program.admin.call("GET", `${api}/policies`)).body.data).toHaveLength(4);
      const { data } = (await program.admin.call("GET", `${api}/api-keys`)).body;
      expect(data).toHaveLength(1);
      expect((await program.admin.call("GET", `${api}/audit/verify`)).body.ok).toBe(true);
      await program.stop();
    }
  });
});

/** Uses everything up: neither one more nor one less than allowed, over all lives. */
async function countersAreExact(program: Program): Promise<void> {
  const { id, key } = await program.person("dev1");
  const dev = program.as(id, key);
  const codeOfLast = async (
    ask: (turn: number) => Promise<string | undefined>,
  ): Promise<string | undefined> => {
    for (let turn = 0; turn < countedMax + 1; turn++) {
      const code = await ask(turn);
      if (code !== undefined) return code;
    }
    return undefined;
  };
  const counted = await codeOfLast(async (turn) => {
    const { body } = await dev.ask({ scopes: [`read:counted:last${turn}`] });
    if (body.code === undefined) await dev.act(body.id, "complete");
    return body.code;
  });
  expect(counted).toBe("limit_reached");
  const oncall = await program.person("oncall");
  const emergency = { scopes: ["admin:auto:all"], breakGlass: true };
  expect(await codeOfLast(async () => (await oncall.ask(emergency)).body.code)).toBe("break_glass_limit");

  const all = await allRequests(program);
  const ofCounted = all.filter(({ policies }) => policies.some(({ name }) => name === "auto counted:"));
  expect(ofCounted).toHaveLength(countedMax);
  expect(all.filter(({ breakGlass }) => breakGlass)).toHaveLength(emergenciesMax);

  for (const one of devs) {
    const holder = await program.person(one.id.slice(3));
    const asked: string[] = [];
    for (let turn = 0; turn <= heldMax; turn++) {
      const { body } = await holder.ask({ scopes: [`read:auto:full${turn}`] });
      asked.push(body.code ?? body.status);
    }
    expect({ [one.id]: asked }).toEqual({
      [one.id]: [...Array.from({ length: heldMax }, () => "ACTIVE"), "limit_reached"],
    });
  }
}

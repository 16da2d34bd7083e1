import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openConnections, post, type Connection } from "../connection.ts";
import type { Part } from "../part.ts";
import { inTemporaryFolder, startProgram } from "../processes.ts";
import { measureAlternately, median } from "../rounds.ts";
import { addKey, addPeople, personId, seed } from "../seeding.ts";
import { openBareSteps } from "../steps.ts";

const clients = 64;
/** With so many clients, their steps should share the cost of a transaction. */
const fewerClients = 32;
const roundMs = 2_000;
const bareSteps = 1_500;
/** The warm-up, in which Node still compiles code. A service does that once in its life. */
const warmUpSteps = 60_000;
const api = "/api/v1/credentials/jit";

const config = {
  policies: [
    { name: "databases", conditions: [], approval: { stages: [{ approvers: ["identity:id_person0"] }] } },
  ],
};

/**
 * Lifecycles over HTTP: submit, approve, claim, complete. Each is a durable step with a response before the next is sent,
 * while the relay notifies people. The raw limit is the rate of bare steps with one transaction each.
 */
export const measureLifecycles: Part = () =>
  inTemporaryFolder(async (folder) => {
    const keys = fill(folder);
    const bare = openBareSteps(folder);
    const program = await startProgram(folder, { RATE_LIMIT_PER_MINUTE: "1000000" });
    const open = await openConnections(program.port, clients);
    const stepsIn = async (ms: number, count: number): Promise<number> => {
      const end = performance.now() + ms;
      const some = open.slice(0, count).map((one, index) => lifecycles(one, index + 1, keys, end));
      return (await Promise.all(some)).reduce((sum, steps) => sum + steps, 0);
    };
    const rate = async (count: number): Promise<number> => {
      const start = performance.now();
      const steps = await stepsIn(roundMs, count);
      return (steps / (performance.now() - start)) * 1_000;
    };
    const cpuUs: number[] = [];
    const rateOfMany = async (): Promise<number> => {
      const before = program.cpuMs();
      const start = performance.now();
      const perSecond = await rate(clients);
      cpuUs.push(((program.cpuMs() - before) * 1_000_000) / (perSecond * (performance.now() - start)));
      return perSecond;
    };
    const bareRate = (): number => bare.rate(bareSteps);
    try {
      for (let steps = 0; steps < warmUpSteps;) steps += await stepsIn(roundMs, clients);
      const many = await measureAlternately(7, rateOfMany, bareRate);
      const fewer = await measureAlternately(5, () => rate(fewerClients), bareRate);
      const one = await measureAlternately(3, () => rate(1), bareRate);
      const cpu = { measured: median(cpuUs), raw: median(bare.cpuUs) };
      const what = "Durable steps of lifecycles over HTTP";
      const expected = { atLeast: 0.8 };
      return [
        { what: `${what}, ${clients} clients`, unit: "1/s", ...many, expected },
        {
          what: "– processor time of the server",
          unit: "µs each",
          ...cpu,
          ratio: cpu.measured / cpu.raw,
        },
        { what: `– ${fewerClients} clients`, unit: "1/s", ...fewer, expected },
        { what: "– 1 client, who waits for each", unit: "1/s", ...one },
      ];
    } finally {
      for (const connection of open) connection.close();
      await program.stop();
      bare.close();
    }
  });

/** Runs lifecycles until `end`, and returns the number of steps. */
async function lifecycles(
  connection: Connection,
  index: number,
  keys: readonly string[],
  end: number,
): Promise<number> {
  const [approver = ""] = keys;
  const person = { id: personId(index), key: keys[index] ?? "" };
  let steps = 0;
  while (performance.now() < end) steps += await lifecycle(connection, person, approver);
  return steps;
}

/** Runs one lifecycle of four steps. */
async function lifecycle(
  connection: Connection,
  person: { readonly id: string; readonly key: string },
  approver: string,
): Promise<number> {
  const act = async (path: string, key: string, status: number, body: object): Promise<string> => {
    const answer = await connection.call(post(path, key, "application/json", JSON.stringify(body)));
    if (answer.status !== status) throw new Error(`${path}: ${answer.status} ${answer.body}`);
    return answer.body;
  };
  const ask = {
    identityId: person.id,
    reason: "an incident",
    scopes: ["read:prod:orders-db"],
    duration: "1h",
  };
  const asked: { readonly id: string } = JSON.parse(await act(api, person.key, 201, ask));
  await act(`${api}/${asked.id}/approve`, approver, 200, {});
  await act(`${api}/${asked.id}/claim`, person.key, 200, {});
  await act(`${api}/${asked.id}/complete`, person.key, 200, {});
  return 4;
}

/** Fills the database. Returns the approver's key, then one for each client. */
function fill(folder: string): readonly string[] {
  const keys: string[] = [];
  mkdirSync(join(folder, "data"), { mode: 0o700 });
  writeFileSync(join(folder, "jit.yaml"), JSON.stringify(config));
  seed(join(folder, "data", "jit.db"), (client) => {
    addPeople(client, clients + 1);
    for (let index = 0; index <= clients; index++) {
      keys.push(addKey(client, personId(index), ["requester", "approver"]));
    }
  });
  return keys;
}

import Database from "better-sqlite3";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { instant, makeId } from "../../src/core/values/ids.ts";
import { hourMs, plus } from "../../src/core/values/time.ts";
import { hashOf } from "../../test/support/fixtures.ts";
import { openConnections, post, type Connection } from "../connection.ts";
import type { Part } from "../part.ts";
import { inTemporaryFolder, startBare, startProgram, type Server } from "../processes.ts";
import { median, percentile, summary } from "../rounds.ts";
import { addGrants, addKey, addPeople, credentialToken, personId, seed, startedBefore } from "../seeding.ts";

const credentials = 100_000;
const people = 1_000;
const connections = 32;
/** Several processes, because the memory layout makes each up to a tenth faster or slower while it runs. */
const pairs = 4;
/** Many short alternating rounds, so that other load affects both alike. */
const roundMs = 500;
const rounds = 8;
/** Warm-up responses, because V8 compiles and recompiles until about then. */
const warmUpAnswers = 100_000;

/** Introspections over HTTP with 100,000 active credentials, each equally likely. */
export const measureIntrospection: Part = () =>
  inTemporaryFolder(async (folder) => {
    const key = fill(folder);
    const found: Round[] = [];
    for (let pair = 0; pair < pairs; pair++) found.push(...(await measurePair(folder, key)));
    const of = (pick: (load: Load) => number) =>
      summary(found.map((one) => ({ measured: pick(one.ours), raw: pick(one.raw) })));
    const about = { atLeast: 0.7 };
    return [
      { what: "Introspections, 32 connections", unit: "1/s", ...of((one) => one.perSecond), expected: about },
      {
        what: "– processor time of the server",
        unit: "µs each",
        ...of((one) => one.cpuUs),
        expected: { atMost: 1.4 },
      },
      { what: "– median answer", unit: "ms", ...of((one) => one.medianMs) },
      { what: "– 99 of 100 answers within", unit: "ms", ...of((one) => one.p99Ms) },
    ];
  });

/** Measures one process of each. */
async function measurePair(folder: string, key: string): Promise<readonly Round[]> {
  const program = await startProgram(folder);
  const bare = await startBare("introspection.ts", folder);
  try {
    const [ours, raw] = [await clientOf(program, key), await clientOf(bare, key)];
    const round = async (): Promise<Round> => ({ ours: await ours.load(), raw: await raw.load() });
    let answers = 0;
    while (answers < warmUpAnswers) answers += (await round()).ours.answers;
    const found: Round[] = [];
    while (found.length < rounds) found.push(await round());
    ours.close();
    raw.close();
    return found;
  } finally {
    await program.stop();
    await bare.stop();
  }
}

interface Round {
  readonly ours: Load;
  readonly raw: Load;
}

interface Load {
  readonly answers: number;
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

async function clientOf(server: Server, key: string) {
  const open = await openConnections(server.port, connections);
  return {
    load: () => loaded(server, open, key),
    close: () => {
      for (const connection of open) connection.close();
    },
  };
}

async function loaded(server: Server, open: readonly Connection[], key: string): Promise<Load> {
  const cpuBefore = server.cpuMs();
  const start = performance.now();
  const end = start + roundMs;
  const latencies: number[] = [];
  const work = async (connection: Connection): Promise<void> => {
    while (performance.now() < end) {
      const token = credentialToken(Math.floor(Math.random() * credentials));
      const sent = performance.now();
      const { status, body } = await connection.call(
        post("/api/v1/credentials/introspect", key, "application/x-www-form-urlencoded", `token=${token}`),
      );
      latencies.push(performance.now() - sent);
      if (status !== 200 || !body.startsWith('{"active":true')) throw new Error(`${status} ${body}`);
    }
  };
  const ended = Promise.all(open.map(work));
  // The client never sleeps, because waking it for each response would cost the server time that a network does not.
  while (performance.now() < end) await nextTurn();
  await ended;
  const tookMs = performance.now() - start;
  return {
    answers: latencies.length,
    perSecond: (latencies.length / tookMs) * 1_000,
    cpuUs: ((server.cpuMs() - cpuBefore) / latencies.length) * 1_000,
    medianMs: median(latencies),
    p99Ms: percentile(latencies, 0.99),
  };
}

/** Fills the program's database, and flat tables with the same credentials for the bare server. Returns a key. */
function fill(folder: string): string {
  const now = instant(Date.now());
  const [startedAt, expiresAt] = [startedBefore(now), plus(now, hourMs)];
  const caller = makeId("identity", "person0");
  let key = "";
  mkdirSync(join(folder, "data"), { mode: 0o700 });
  writeFileSync(join(folder, "jit.yaml"), "{}\n");
  seed(join(folder, "data", "jit.db"), (client) => {
    addPeople(client, people);
    addGrants(client, credentials, people, startedAt, () => expiresAt);
    key = addKey(client, caller, ["resource"]);
  });
  const flat = new Database(join(folder, "bare.db"));
  flat.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE identities (id TEXT PRIMARY KEY, username TEXT, active INTEGER);
    CREATE TABLE grants (id TEXT PRIMARY KEY, sub TEXT, phase TEXT, scope TEXT, exp INTEGER, iat INTEGER, jti TEXT);
    CREATE TABLE credentials (hash TEXT PRIMARY KEY, grant_id TEXT);`);
  const person = flat.prepare("INSERT INTO identities VALUES (?, ?, 1)");
  const grant = flat.prepare("INSERT INTO grants VALUES (?, ?, 'ACTIVE', 'read:prod:orders-db', ?, ?, ?)");
  const credential = flat.prepare("INSERT INTO credentials VALUES (?, ?)");
  flat.transaction(() => {
    for (let index = 0; index < people; index++) person.run(personId(index), `person${index}@company.com`);
    for (let index = 0; index < credentials; index++) {
      const exp = Math.floor(expiresAt / 1000);
      grant.run(`gr_${index}`, personId(index % people), exp, Math.floor(startedAt / 1000), `jit_${index}`);
      credential.run(hashOf(credentialToken(index)), `gr_${index}`);
    }
  })();
  flat.close();
  return key;
}

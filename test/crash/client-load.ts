import { api } from "../support/api-client.ts";
import type { Answer, Person } from "../support/api-client.ts";
import type { SeededRandom } from "../support/seeded-random.ts";
import type { Program } from "../support/program.ts";
import { remember, type Memory, type Remembered } from "./answer-ledger.ts";

/** Codes that are good answers under load: somebody else was first, or a limit is reached. */
const expectedNo = new Set(["limit_reached", "already_decided", "already_voted", "break_glass_limit"]);

/** Ends a client: the program is gone. */
class Gone extends Error {}

interface LoadHarness {
  readonly program: Program;
  readonly memory: Memory;
  readonly random: SeededRandom;
  readonly people: ReadonlyMap<string, Person>;
}

/**
 * Some clients of each person, all at once, each doing one journey after the other without a pause, until the program is gone. Resolves
 * when the last of them has noticed.
 */
export async function loadUntilGone(
  program: Program,
  memory: Memory,
  random: SeededRandom,
  people: ReadonlyMap<string, Person>,
  clientsEach: number,
): Promise<void> {
  const harness = { program, memory, random, people };
  const requesters = [...people.keys()].filter((name) => name.startsWith("dev"));
  const clients = requesters
    .flatMap((name) => Array.from({ length: clientsEach }, () => name))
    .map((name) => forever(() => journey(harness, name)));
  await Promise.all([...clients, forever(() => emergency(harness)), forever(() => readAudit(harness))]);
}

async function forever(turn: () => Promise<void>): Promise<void> {
  try {
    for (;;) await turn();
  } catch (error) {
    if (!(error instanceof Gone)) throw error;
  }
}

/** One request from its asking to some end or other. */
async function journey(harness: LoadHarness, name: string): Promise<void> {
  const { random, memory } = harness;
  const dev = one(harness, name);
  const kind = random.pick(["auto", "auto", "asked", "asked", "counted", "brief", "for another"]);
  const scopes = [`read:${kind === "for another" ? "auto" : kind}:${random.below(1_000_000_000)}`];
  const duration = kind === "brief" ? "1s" : "1h";
  const by = kind === "for another" ? harness.program.admin : dev;
  const asked = await told(harness, by.ask({ identityId: dev.id, scopes, duration }));
  if (asked === undefined) return finishOne(harness, dev);
  const request = remember(memory, asked.body, dev.id);
  if (kind === "asked") {
    if (random.below(6) === 0) return act(harness, dev, request, "cancel");
    const dba = one(harness, random.pick(["ann", "bob", "cid"]));
    if (random.below(6) === 0) return act(harness, dba, request, "deny", { reason: "no" });
    await act(harness, dba, request, "approve");
  }
  if (request.status === "APPROVED" && random.below(4) > 0) await act(harness, dev, request, "claim");
  if (request.status === "ACTIVE" && random.below(3) === 0) await act(harness, dev, request, "rotate");
  if (request.status !== "ACTIVE" || kind === "brief") return;
  const end = random.below(5);
  if (end < 3) await act(harness, dev, request, "complete");
  if (end === 3) await act(harness, harness.program.admin, request, "revoke", { reason: "over" });
}

/** Makes room: somebody who holds as much as they may ends one of it. */
async function finishOne(harness: LoadHarness, dev: Person): Promise<void> {
  const mine = [...harness.memory.requests.values()].filter(
    ({ subject, tried }) => subject === dev.id && tried === undefined,
  );
  const held = mine.find(
    ({ status, expiresAt = 0 }) => status === "ACTIVE" && expiresAt > Date.now() + 10_000,
  );
  if (held !== undefined) return act(harness, dev, held, "complete");
  const open = mine.find(({ status }) => status === "PENDING");
  if (open !== undefined) return act(harness, dev, open, "cancel");
}

async function emergency(harness: LoadHarness): Promise<void> {
  const oncall = one(harness, "oncall");
  const asked = await told(
    harness,
    oncall.ask({ scopes: ["admin:auto:all"], breakGlass: true, reason: "all is down" }),
  );
  if (asked !== undefined) remember(harness.memory, asked.body, oncall.id);
  else await told(harness, oncall.call("GET", `${api}/credentials/jit?limit=5`));
}

async function readAudit({ program, memory }: LoadHarness): Promise<void> {
  const after = Math.max(0, ...memory.audit.keys());
  const page = await program.admin
    .call("GET", `${api}/audit?limit=200&after=${after}`)
    .catch(() => Promise.reject(new Gone()));
  const { data }: { data: readonly { seq: number; hash: string }[] } = JSON.parse(page.text);
  for (const { seq, hash } of data) memory.audit.set(seq, hash);
}

async function act(
  harness: LoadHarness,
  by: Person,
  request: Remembered,
  verb: string,
  body?: object,
): Promise<void> {
  // Another client of the same person may be at it.
  if (request.tried !== undefined) return;
  request.tried = verb;
  const answer = await told(harness, by.act(request.id, verb, body));
  request.tried = undefined;
  if (answer !== undefined) remember(harness.memory, answer.body, request.subject);
}

/** The answer when it is a yes; undefined when it is a no that may be. */
async function told(harness: LoadHarness, call: Promise<Answer>): Promise<Answer | undefined> {
  const answer = await call.catch(() => Promise.reject(new Gone()));
  if (answer.http < 300) return answer;
  if (!expectedNo.has(answer.body.code)) harness.memory.odd.push(`${answer.http} ${answer.text}`);
  return undefined;
}

function one({ people }: LoadHarness, name: string): Person {
  const person = people.get(name);
  if (person === undefined) throw new Error(`nobody is called ${name}`);
  return person;
}

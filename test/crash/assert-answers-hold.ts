import { expect } from "vitest";
import { api, type AuditRecord } from "../support/api-client.ts";
import { pause, type Program } from "../support/program.ts";
import type { Wire } from "../support/wire.ts";
import { lawful, type Memory } from "./answer-ledger.ts";

/** Everything there is, newest first. */
export async function allRequests({ admin }: Program): Promise<readonly Wire[]> {
  const all: Wire[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const at: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const page = (await admin.call("GET", `${api}/credentials/jit?limit=200${at}`)).body;
    all.push(...page.data);
    cursor = page.nextCursor;
  }
  return all;
}

/** Asks, through the public doors of the restarted program, whether every answer that was given still holds. */
export async function everyAnswerHolds(program: Program, memory: Memory): Promise<void> {
  const verdict = (await program.admin.call("GET", `${api}/audit/verify`)).body;
  expect(verdict.ok, "the audit chain").toBe(true);
  const audit = await program.audit();
  const hashes = new Map(audit.map(({ seq, hash }) => [seq, hash]));
  const lost = [...memory.audit].filter(([seq, hash]) => hashes.get(seq) !== hash);
  expect(lost, "audit records that were read before").toEqual([]);

  const now = Date.now();
  const found = new Map((await allRequests(program)).map((request) => [request.id, request]));
  const wrong = [...memory.requests.values()].flatMap((known) => {
    const status = found.get(known.id)?.status ?? "nothing";
    return lawful(known, now).includes(status)
      ? []
      : [`${known.id} was ${known.status}, then tried ${known.tried}, and is ${status}`];
  });
  expect(wrong, "answers that do not hold").toEqual([]);
  expect(disagreeing(audit, found, now), "requests that the audit log tells otherwise").toEqual([]);

  for (const [key, id] of memory.keys) {
    expect((await program.as(id, key).call("GET", `${api}/credentials/jit?limit=1`)).http).toBe(200);
  }
  await tokensHold(program, memory, found);
}

/** The newest token of live access is good, unless replacing it was tried; every other one is dead. */
async function tokensHold(program: Program, memory: Memory, found: ReadonlyMap<string, Wire>): Promise<void> {
  const wrong: string[] = [];
  for (const known of memory.requests.values()) {
    const request = found.get(known.id);
    const newest = known.tokens.at(-1);
    const isRunning = request?.status === "ACTIVE" && (known.expiresAt ?? 0) > Date.now() + 1_000;
    for (const token of known.tokens) {
      const { http } = await program.check(token, "read:nothing");
      // 403: good, for other scopes. 401: good for nothing.
      const isLive = http === 403;
      const mayLive = token === newest && request?.status === "ACTIVE" && !known.isNewestUnseen;
      if (mayLive && isRunning && !isLive && known.tried === "rotate") known.isNewestUnseen = true;
      else if (isLive ? !mayLive : mayLive && isRunning) {
        wrong.push(`${known.id} ${request?.status}, tried ${known.tried}: ${http}`);
      }
    }
    known.status = request?.status ?? "nothing";
    known.tried = undefined;
  }
  expect(wrong, "tokens").toEqual([]);
}

/** Each record of a request leads to a state; the last one must be what the request reads as. */
function disagreeing(
  audit: readonly AuditRecord[],
  found: ReadonlyMap<string, Wire>,
  now: number,
): readonly string[] {
  const told = new Map<string, string>();
  const wrong: string[] = [];
  for (const { action, request } of audit) {
    const state = states[action];
    if (request === undefined || state === undefined) continue;
    const before = told.get(request);
    if (before === state || finals.has(before ?? "")) wrong.push(`${request} ${before} and then ${state}`);
    told.set(request, state);
  }
  for (const [id, { status, expiresAt }] of found) {
    const isOver = told.get(id) === "ACTIVE" && status === "EXPIRED" && Date.parse(expiresAt) <= now + 1_000;
    if (told.get(id) !== status && !isOver) wrong.push(`${id} is ${status}, on record ${told.get(id)}`);
  }
  return [...wrong, ...[...told.keys()].filter((id) => !found.has(id))];
}

const states: Readonly<Record<string, string>> = {
  "request.submitted": "PENDING",
  "request.auto_approved": "APPROVED",
  "request.approved": "APPROVED",
  "break_glass.used": "APPROVED",
  "request.denied": "DENIED",
  "request.cancelled": "CANCELLED",
  "request.timed_out": "TIMED_OUT",
  "grant.started": "ACTIVE",
  "grant.failed": "FAILED",
  "grant.completed": "COMPLETED",
  "grant.revoked": "REVOKED",
  "grant.expired": "EXPIRED",
};
const finals = new Set(["DENIED", "CANCELLED", "TIMED_OUT", "COMPLETED", "REVOKED", "EXPIRED"]);

/**
 * Ends everything a person has open, and shows on the way that no step was left half done: what waits to be claimed can
 * be, and live access has one living token, which replacing it makes another.
 */
export async function endsCleanly(program: Program, memory: Memory, id: string, key: string): Promise<void> {
  const person = program.as(id, key);
  const own = (await allRequests(program)).filter(({ identityId }) => identityId === id);
  for (const { id: request } of own.filter(({ status }) => status === "PENDING")) {
    expect((await person.act(request, "cancel")).http).toBe(200);
  }
  const ended = async (request: string, token: string): Promise<void> => {
    expect((await program.check(token, "read:nothing")).http, "the new token").toBe(403);
    expect((await person.act(request, "complete")).body.status).toBe("COMPLETED");
    expect((await program.check(token, "read:nothing")).http, "its token when completed").toBe(401);
  };
  for (const { id: request, expiresAt } of own.filter(({ status }) => status === "ACTIVE")) {
    if (Date.parse(expiresAt) < Date.now() + 10_000) continue;
    const rotated = await person.act(request, "rotate");
    expect(rotated).toMatchObject({ http: 200 });
    for (const token of memory.requests.get(request)?.tokens ?? []) {
      expect((await program.check(token, "read:nothing")).http, "an old token").toBe(401);
    }
    await ended(request, rotated.body.credential.token);
  }
  for (const { id: request } of own.filter(({ status }) => status === "APPROVED")) {
    const claimed = await person.act(request, "claim");
    expect(claimed).toMatchObject({ http: 200 });
    if (Date.parse(claimed.body.expiresAt) < Date.now() + 10_000) await pause(1_100);
    else await ended(request, claimed.body.credential.token);
  }
}

import Database from "better-sqlite3";
import { join } from "node:path";
import { instant } from "../src/core/values/ids.ts";
import type { Step } from "../src/service/ports/store.ts";
import { approvedFixture, auditFixture, noticeFixture, stepFixture } from "../test/support/fixtures.ts";
import { prepareBareStep } from "./bare/step.ts";
import { addPeople, personId, seed } from "./seeding.ts";

/** A step that submits and approves a request: one row with its scope and selector, 2 records, 1 effect. */
export function typicalStep(index: number): Step {
  const tail = String(index).padStart(8, "0");
  const now = instant(Date.now());
  const subjectId = personId(0);
  const request = approvedFixture(tail, { subjectId, requestedById: subjectId, requestedAt: now });
  const about = { at: now, request: request.id, identity: subjectId };
  return stepFixture({
    expects: [
      { kind: "request", id: request.id, version: 0 },
      { kind: "rulebook", id: "rulebook", version: 1 },
      { kind: "identity", id: subjectId, version: 1 },
    ],
    writes: [{ kind: "request", value: request, dueAt: request.claimDeadline }],
    unique: [{ take: `open:${subjectId}:${tail}`, owner: request.id }],
    counters: [{ key: "use:pol_default", add: 1, max: 1_000_000_000, at: now }],
    audit: [
      auditFixture({ ...about, data: { reason: request.reason, scopes: request.scopes, duration: "1h" } }),
      auditFixture({
        ...about,
        action: "request.auto_approved",
        data: { claimDeadline: "2024-01-15T20:00:00.000Z" },
      }),
    ],
    effects: [noticeFixture(tail, request.id)],
  });
}

export interface BareSteps {
  /** Steps per second, each in its own transaction that is on disk before the next one begins. */
  readonly rate: (count: number) => number;
  /** Processor time per step in microseconds, for each round. */
  readonly cpuUs: readonly number[];
  readonly close: () => void;
}

/** Prepares the bare step on tables of the store's migrations. */
export function openBareSteps(folder: string): BareSteps {
  const file = join(folder, "bare", "jit.db");
  seed(file, (client) => addPeople(client, 1));
  const client = new Database(file);
  client.pragma("synchronous = FULL");
  const write = prepareBareStep(client);
  let next = 0;
  const cpuUs: number[] = [];
  return {
    cpuUs,
    rate: (count) => {
      const steps = Array.from({ length: count }, () => typicalStep(next++));
      const before = process.cpuUsage();
      const start = performance.now();
      for (const step of steps) write(step);
      const { user, system } = process.cpuUsage(before);
      cpuUs.push((user + system) / count);
      return (count / (performance.now() - start)) * 1_000;
    },
    close: () => void client.close(),
  };
}

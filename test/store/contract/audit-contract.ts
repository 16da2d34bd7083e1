import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { AccessRequest } from "../../../src/core/access/access-request.ts";
import type { AuditAction } from "../../../src/core/audit/audit-record.ts";
import {
  at,
  auditFixture,
  grantFixture,
  ids,
  requestFixture,
  someone,
  stepFixture,
  writeStep,
} from "../../support/fixtures.ts";
import type { OpenEmptyStore } from "./store-contract.ts";
import { committed } from "../../support/committed.ts";

const zeros = "0".repeat(64);
const of = (tail: string, action: "approval.given" | "request.denied") =>
  auditFixture({ request: ids.request(tail), action });
const records = (...audit: readonly ReturnType<typeof auditFixture>[]) => stepFixture({ audit });

export function auditContract(open: OpenEmptyStore): void {
  test("an empty log verifies, with a head of zeros", async () => {
    const store = await open();
    expect(await store.auditHead()).toEqual({ seq: 0, hash: zeros });
    expect(await store.verifyAudit()).toEqual({ ok: true, events: 0, head: zeros, tail: "unproven" });
    expect(await store.auditEvents({ after: 0, limit: 10 })).toEqual([]);
  });

  test("a record is the canonical JSON of the transition, chained by the documented hash", async () => {
    const store = await open();
    const key = { id: ids.key("k"), mintedBy: ids.identity("admin") };
    const entry = auditFixture({
      action: "approval.given",
      actor: { ...someone, key },
      request: ids.request("a"),
      identity: ids.identity("dev"),
      data: { zeta: 1, comment: 'é "q"\n', alpha: [true, null] },
    });
    await committed(store, records(auditFixture()), records(entry));
    const [first, second] = await store.auditEvents({ after: 0, limit: 10 });
    expect(first?.body).toBe(
      '{"action":"request.submitted","actor":{"id":"id_dev","name":"Dev","type":"human","via":"api"},"at":"2024-01-15T12:00:00.000Z","data":{}}',
    );
    expect(second?.body).toBe(
      '{"action":"approval.given","actor":{"id":"id_dev","key":{"id":"key_k","mintedBy":"id_admin"},"name":"Dev","type":"human","via":"api"},' +
        '"at":"2024-01-15T12:00:00.000Z","data":{"alpha":[true,null],"comment":"é \\"q\\"\\n","zeta":1},"identity":"id_dev","request":"jit_a"}',
    );
    const hash = createHash("sha256")
      .update(
        Buffer.concat([
          Buffer.alloc(1),
          Buffer.from(first?.hash ?? "", "hex"),
          Buffer.from(`2\n${second?.body}`),
        ]),
      )
      .digest("hex");
    expect(second).toMatchObject({ seq: 2, hash, previousHash: first?.hash });
    expect(first?.previousHash).toBe(zeros);
    expect(await store.auditHead()).toEqual({ seq: 2, hash });
    expect(await store.verifyAudit()).toEqual({ ok: true, events: 2, head: hash, tail: "unproven" });
  });

  test("malformed Unicode in a person's text neither stops a step nor breaks the chain", async () => {
    const store = await open();
    await committed(
      store,
      records(auditFixture({ data: { reason: "half \ud83d of it", list: ["\udc00"] } })),
    );
    const [row] = await store.auditEvents({ after: 0, limit: 1 });
    expect(row?.body).toContain('"list":["�"],"reason":"half � of it"');
    expect(await store.verifyAudit()).toMatchObject({ ok: true, events: 1 });
  });

  test("record numbers have no gaps, also when steps in between fail", async () => {
    const store = await open();
    const failing = { ...records(auditFixture()), counters: [{ key: "x", add: 1, max: 0, at: at(0) }] };
    const steps = Array.from({ length: 60 }, (_, index) =>
      index % 3 === 1 ? failing : records(auditFixture(), auditFixture()),
    );
    await Promise.all(steps.map((step) => store.commit(step)));
    const rows = await store.auditEvents({ after: 0, limit: 200 });
    expect(rows.map((row) => row.seq)).toEqual(Array.from({ length: 80 }, (_, index) => index + 1));
    expect(await store.verifyAudit()).toMatchObject({ ok: true, events: 80 });
  });

  test("records are read by number, request and action, each with the previous hash", async () => {
    const store = await open();
    await committed(
      store,
      records(
        of("a", "approval.given"),
        of("b", "approval.given"),
        of("a", "request.denied"),
        of("a", "approval.given"),
      ),
    );
    const seqs = async (filter: {
      after?: number;
      limit?: number;
      request?: ReturnType<typeof ids.request>;
      action?: string;
    }) => (await store.auditEvents({ after: 0, limit: 10, ...filter })).map((row) => row.seq);
    expect(await seqs({ after: 1, limit: 2 })).toEqual([2, 3]);
    expect(await seqs({ request: ids.request("a") })).toEqual([1, 3, 4]);
    expect(await seqs({ action: "approval.given", after: 1 })).toEqual([2, 4]);
    expect(await seqs({ request: ids.request("a"), action: "approval.given" })).toEqual([1, 4]);
    const all = await store.auditEvents({ after: 0, limit: 10 });
    const filtered = await store.auditEvents({ after: 0, limit: 10, request: ids.request("a") });
    expect(filtered.map((row) => row.previousHash)).toEqual([zeros, all[1]?.hash, all[2]?.hash]);
  });

  test("a head stored outside matches, is missing from a shorter log, and differs from a rewritten one", async () => {
    const store = await open();
    await committed(store, records(auditFixture(), auditFixture()), records(auditFixture()));
    const [first, second] = await store.auditEvents({ after: 0, limit: 2 });
    const [one, two] = [first?.hash ?? "", second?.hash ?? ""];
    for (const [seen, tail] of [
      [{ seq: 0, hash: zeros }, "matches"],
      [{ seq: 1, hash: one }, "matches"],
      [await store.auditHead(), "matches"],
      [{ seq: 2, hash: one }, "differs"],
      [{ seq: 0, hash: one }, "differs"],
      [{ seq: 4, hash: two }, "shorter"],
    ] as const) {
      expect(await store.compareHead(seen)).toBe(tail);
      const { ok, tail: said } = await store.verifyAudit(seen);
      expect([ok, said]).toEqual([tail === "matches", tail]);
    }
  });

  test("a request or grant without the records that explain its state is found, up to the limit", async () => {
    const store = await open();
    const tails = ["a", "b", "c", "d"] as const;
    const recorded = (tail: string, action: AuditAction, data = {}) =>
      auditFixture({ request: ids.request(tail), action, data });
    const request = (tail: string, changes: Partial<AccessRequest>) =>
      ({ kind: "request", value: requestFixture(tail, changes), dueAt: null }) as const;
    await committed(store, {
      ...writeStep([
        ...tails.map((tail) => request(tail, { phase: "CLAIMED", grantId: ids.grant(tail) })),
        ...tails.map((tail) => ({ kind: "grant", value: grantFixture(tail) }) as const),
      ]),
      audit: [
        // Its records are complete.
        recorded("a", "request.submitted"),
        recorded("a", "grant.started", { grant: ids.grant("a") }),
        // Its start was recorded for another grant.
        recorded("b", "request.submitted"),
        recorded("b", "grant.started", { grant: ids.grant("a") }),
        // The record of its submission is missing.
        recorded("c", "grant.started", { grant: ids.grant("c") }),
      ],
    });
    const missing = [
      { kind: "request", id: ids.request("c") },
      { kind: "request", id: ids.request("d") },
      { kind: "grant", id: ids.grant("b") },
      { kind: "grant", id: ids.grant("d") },
    ];
    expect(await store.unrecorded(20)).toEqual(missing);
    expect(await store.unrecorded(3)).toEqual(missing.slice(0, 3));
  });

  test("a state whose last record was cut off is found, however many records the request has", async () => {
    const store = await open();
    const value = requestFixture("a", { phase: "DENIED" });
    const about = (action: AuditAction) => auditFixture({ request: ids.request("a"), action });
    const many = Array.from({ length: 1_200 }, () => about("approval.reminded"));
    const step = writeStep([{ kind: "request", value, dueAt: null }]);
    await committed(store, { ...step, audit: [about("request.submitted"), ...many] });
    expect(await store.unrecorded(20)).toEqual([{ kind: "request", id: ids.request("a") }]);
    await committed(store, records(about("request.denied")));
    expect(await store.unrecorded(20)).toEqual([]);
  });

  test("a chain longer than one chunk verifies while commits go on", async () => {
    const store = await open();
    await committed(
      store,
      ...Array.from({ length: 12 }, () => records(...Array.from({ length: 100 }, () => auditFixture()))),
    );
    const verifying = store.verifyAudit();
    await Promise.all(Array.from({ length: 20 }, () => store.commit(records(auditFixture()))));
    expect(await verifying).toMatchObject({ ok: true });
    expect((await store.auditHead()).seq).toBe(1220);
  });
}

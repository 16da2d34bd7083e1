import type Database from "better-sqlite3";
import { createHash } from "node:crypto";
import type { Step } from "../../src/service/ports/store.ts";

/**
 * The raw limit of a step: the rows of one submitted and approved request, in the same tables, by prepared statements in
 * one transaction. It checks the same versions and hashes the same records, but handles no conflicts.
 */
export function prepareBareStep(client: Database.Database): (step: Step) => void {
  const rulebook = client.prepare<[], { version: number }>("SELECT version FROM rulebook");
  const identity = client.prepare<[string], { version: number }>(
    "SELECT version FROM identities WHERE id = ?",
  );
  const request = client.prepare(
    `INSERT INTO requests (id, version, subject_id, requested_by_id, requested_at, latest_at, status, lapses_at, due_at, broke_glass, value)
     VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, 0, ?)`,
  );
  const scope = client.prepare("INSERT INTO request_scopes (scope, request_ord, status) VALUES (?, ?, ?)");
  const selector = client.prepare(
    "INSERT INTO request_selectors (selector, request_ord, part, status) VALUES (?, ?, 'stage', ?)",
  );
  const unique = client.prepare("INSERT INTO unique_names VALUES (?, ?) ON CONFLICT DO NOTHING");
  const counter = client.prepare(
    "INSERT INTO counters VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET used = used + 1 RETURNING used",
  );
  const head = client.prepare<[], { seq: number; hash: string }>(
    "SELECT seq, hash FROM audit_events ORDER BY seq DESC LIMIT 1",
  );
  const audit = client.prepare("INSERT INTO audit_events (seq, body, hash) VALUES (?, ?, ?)");
  const effect = client.prepare(
    "INSERT INTO outbox (id, ordering_key, destination, created_at, ready_at, lease, attempts, effect) VALUES (?, ?, 'internal', ?, ?, 0, 0, ?)",
  );
  const writeAll = client.transaction((step: Step) => {
    for (const { kind, id, version } of step.expects) {
      if (kind === "rulebook" && rulebook.get()?.version !== version) throw new Error("conflict");
      if (kind === "identity" && identity.get(id)?.version !== version) throw new Error("conflict");
    }
    for (const write of step.writes) {
      if (write.kind !== "request") continue;
      const { id, subjectId, requestedById, requestedAt, phase, claimDeadline, scopes } = write.value;
      const value = JSON.stringify(write.value);
      const { lastInsertRowid } = request.run(
        id,
        subjectId,
        requestedById,
        requestedAt,
        requestedAt,
        phase,
        claimDeadline,
        write.dueAt,
        value,
      );
      for (const one of scopes) scope.run(one, lastInsertRowid, phase);
      selector.run("lead@company.com", lastInsertRowid, phase);
    }
    for (const change of step.unique) if ("take" in change) unique.run(change.take, change.owner);
    for (const { key, max = 0 } of step.counters) {
      if (Number(counter.pluck().get(key)) > max) throw new Error("conflict");
    }
    let last = head.get() ?? { seq: 0, hash: "0".repeat(64) };
    for (const entry of step.audit) {
      const body = JSON.stringify(entry);
      const seq = last.seq + 1;
      const link = createHash("sha256").update("\0").update(last.hash, "hex").update(`${seq}\n`).update(body);
      last = { seq, hash: link.digest("hex") };
      audit.run(seq, body, last.hash);
    }
    for (const one of step.effects) {
      const orderingKey = one.effect.kind === "announce" ? `request:${one.effect.requestId}` : null;
      effect.run(one.id, orderingKey, one.dueAt, one.dueAt, JSON.stringify(one.effect));
    }
  });
  return (step) => writeAll.immediate(step);
}

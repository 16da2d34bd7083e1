import type Database from "better-sqlite3";
import { createHash } from "node:crypto";
import { instant, makeId, type Instant } from "../../src/core/values/ids.ts";
import { formatInstant } from "../../src/core/values/time.ts";

interface DueRow {
  readonly id: string;
  readonly requestId: string;
  readonly subjectId: string;
  readonly value: string;
}

/**
 * The raw limit of recording expired grants: the same rows by prepared statements, a hundred per transaction. Returns the
 * number of grants.
 */
export function prepareBareExpiry(client: Database.Database): (now: Instant) => number {
  const due = client.prepare<[number], DueRow>(
    `SELECT id, request_id AS requestId, subject_id AS subjectId, value FROM grants
     WHERE phase IN ('PREPARING', 'ACTIVE') AND expires_at <= ? ORDER BY expires_at LIMIT 100`,
  );
  const grant = client.prepare(
    "UPDATE grants SET version = version + 1, phase = 'EXPIRED', value = ? WHERE id = ?",
  );
  const request = client.prepare("UPDATE requests SET status = 'EXPIRED', lapses_at = NULL WHERE id = ?");
  const counter = client.prepare("UPDATE counters SET used = used - 1 WHERE key = ?");
  const head = client.prepare<[], { seq: number; hash: string }>(
    "SELECT seq, hash FROM audit_events ORDER BY seq DESC LIMIT 1",
  );
  const audit = client.prepare("INSERT INTO audit_events (seq, body, hash) VALUES (?, ?, ?)");
  const effect = client.prepare(
    "INSERT INTO outbox (id, ordering_key, destination, created_at, ready_at, lease, attempts, effect) VALUES (?, ?, 'internal', ?, ?, 0, 0, ?)",
  );
  const writeAll = client.transaction((rows: readonly DueRow[], now: Instant) => {
    let last = head.get() ?? { seq: 0, hash: "0".repeat(64) };
    for (const { id, requestId, subjectId, value } of rows) {
      const ended = { ...JSON.parse(value), phase: "EXPIRED", endedAt: now, endReason: "expired" };
      grant.run(JSON.stringify(ended), id);
      request.run(requestId);
      counter.run(`active:${subjectId}`);
      const seq = last.seq + 1;
      const body = JSON.stringify({
        at: formatInstant(now),
        action: "grant.expired",
        request: requestId,
        data: {},
      });
      const link = createHash("sha256").update("\0").update(last.hash, "hex").update(`${seq}\n`).update(body);
      last = { seq, hash: link.digest("hex") };
      audit.run(seq, body, last.hash);
      const notice = { kind: "announce", requestId, notices: [{ notice: "ended", people: [subjectId] }] };
      effect.run(makeId("effect", id), requestId, now, now, JSON.stringify(notice));
    }
  });
  return (now) => {
    for (let count = 0; ;) {
      const rows = due.all(instant(now));
      if (rows.length === 0) return count;
      writeAll.immediate(rows, now);
      count += rows.length;
    }
  };
}

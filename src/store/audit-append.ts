import canonicalize from "canonicalize";
import type { AuditEntry } from "../core/audit-record.ts";
import { present } from "../core/assert.ts";
import { formatInstant } from "../core/time.ts";
import { chainHash, chainStart } from "./audit-chain.ts";
import { desc } from "./drizzle.ts";
import { auditEvents } from "./schema.ts";
import { prepareRead } from "./prepare-read.ts";
import { prepareWrite } from "./prepare-write.ts";
import { hole, type Tables } from "./tables.ts";

/** Gives audit records their place in the chain. The chain's end is read under the write lock each time. */
export function prepareAudit(tables: Tables) {
  const { seq, hash } = auditEvents;
  // Without a LIMIT, for SQLite looks at its value too and plans anew each time; `get` stops after one row.
  const head = prepareRead(tables, [seq, hash], (selected) => selected.from(auditEvents).orderBy(desc(seq)));
  const insert = prepareWrite(
    tables,
    tables
      .insert(auditEvents)
      .values({ seq: hole("seq", seq), body: hole("body", auditEvents.body), hash: hole("hash", hash) }),
  );
  return {
    append: (entries: readonly AuditEntry[]): void => {
      if (entries.length === 0) return;
      let [lastSeq, lastHash] = head.get() ?? [0, chainStart];
      for (const entry of entries) {
        const body = bodyOf(entry);
        lastHash = chainHash(lastHash, ++lastSeq, body);
        insert.run({ seq: lastSeq, body, hash: lastHash });
      }
    },
  };
}

/** RFC 8785 JSON of the record as the API shows it, without its place in the chain. */
function bodyOf({ at, action, actor, request, identity, data }: AuditEntry): string {
  const { type, id, name, via, key } = actor;
  const record = {
    at: formatInstant(at),
    action,
    actor: { type, id, name, via, ...(key !== undefined && { key: { id: key.id, mintedBy: key.mintedBy } }) },
    ...(request !== undefined && { request }),
    ...(identity !== undefined && { identity }),
    data,
  };
  return present(canonicalOf(record), "the JSON of an audit record");
}

/** Half a surrogate pair is no Unicode text, and RFC 8785 refuses it; in somebody's words it becomes U+FFFD. */
function canonicalOf(record: object): string | undefined {
  try {
    return canonicalize(record);
  } catch {
    return canonicalize(wellFormed(record));
  }
}

function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return asUnicode(value);
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [asUnicode(key), wellFormed(item)]));
}

function asUnicode(text: string): string {
  return text.replaceAll(/\p{Surrogate}/gu, "\uFFFD");
}

import { sql, type SQL } from "drizzle-orm";
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** The hash chain of audit records (docs/audit.md). */
export const auditEvents = sqliteTable(
  "audit_events",
  {
    seq: integer("seq").primaryKey(),
    body: text("body").notNull(),
    hash: text("hash").notNull(),
    /** Generated from `body`, so that it cannot disagree with it; the same holds for `action`. */
    request: text("request").generatedAlwaysAs(fromBody("$.request"), { mode: "virtual" }),
    action: text("action").generatedAlwaysAs(fromBody("$.action"), { mode: "virtual" }),
  },
  (table) => [
    // Only the table's own name begins with audit: that is how it is found from outside (docs/audit.md).
    index("by_audited_request").on(table.request),
    index("by_audited_action").on(table.action),
    index("by_audited_request_and_action").on(table.request, table.action),
  ],
);

function fromBody(path: "$.request" | "$.action"): SQL {
  return sql.raw(`(CASE WHEN json_valid(body) THEN json_extract(body, '${path}') END)`);
}

/**
 * Triggers that make the table append-only. Drizzle cannot declare triggers, so every start creates those that are
 * missing: a migration that rebuilds the table cannot lose them.
 */
export const auditEventTriggers: readonly { readonly name: string; readonly event: string }[] = [
  { name: "refuse_changed_audit_event", event: "BEFORE UPDATE ON audit_events" },
  { name: "refuse_deleted_audit_event", event: "BEFORE DELETE ON audit_events" },
  {
    // INSERT OR REPLACE deletes the old row without firing the DELETE trigger.
    name: "refuse_replaced_audit_event",
    event: "BEFORE INSERT ON audit_events WHEN EXISTS (SELECT 1 FROM audit_events WHERE seq = NEW.seq)",
  },
];

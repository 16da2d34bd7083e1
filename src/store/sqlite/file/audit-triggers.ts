import type Database from "better-sqlite3";

const triggers = [
  {
    name: "refuse_changed_audit_event",
    when: "BEFORE UPDATE ON audit_events",
  },
  {
    name: "refuse_deleted_audit_event",
    when: "BEFORE DELETE ON audit_events",
  },
  // INSERT OR REPLACE deletes without asking the trigger above.
  {
    name: "refuse_replaced_audit_event",
    when: "BEFORE INSERT ON audit_events WHEN EXISTS (SELECT 1 FROM audit_events WHERE seq = NEW.seq)",
  },
] as const;

/**
 * Makes the audit table append-only. Looked at in each start, for a migration that rebuilds a table drops them silently;
 * as long as they are what they should be, nothing is written.
 */
export function createAuditTriggers(client: Database.Database): void {
  const wanted = triggers.map(({ name, when }) => ({
    name,
    sql: `CREATE TRIGGER ${name} ${when} BEGIN SELECT RAISE(ABORT, 'audit events are only added'); END`,
  }));
  const found = client.prepare<[string], { sql: string }>(
    "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?",
  );
  const missing = wanted.filter(({ name, sql }) => found.get(name)?.sql !== sql);
  if (missing.length === 0) return;
  const statements = missing.map(({ name, sql }) => `DROP TRIGGER IF EXISTS ${name}; ${sql};`);
  client.exec(`BEGIN IMMEDIATE; ${statements.join(" ")} COMMIT;`);
}

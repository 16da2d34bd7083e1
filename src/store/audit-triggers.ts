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

/** Makes the audit table append-only. Made anew at each start, for a migration that rebuilds a table drops them silently. */
export function createAuditTriggers(client: Database.Database): void {
  const statements = triggers.map(
    ({ name, when }) =>
      `DROP TRIGGER IF EXISTS ${name}; CREATE TRIGGER ${name} ${when} BEGIN SELECT RAISE(ABORT, 'audit events are only added'); END;`,
  );
  client.exec(`BEGIN IMMEDIATE; ${statements.join(" ")} COMMIT;`);
}

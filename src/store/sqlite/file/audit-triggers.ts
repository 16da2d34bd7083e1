import type Database from "better-sqlite3";
import { auditEventTriggers } from "../tables/audit-events.ts";

/**
 * Makes the audit table append-only. Every start checks the triggers, because a migration that rebuilds the table drops
 * them silently. If they are complete, nothing is written.
 */
export function createAuditTriggers(client: Database.Database): void {
  const wanted = auditEventTriggers.map(({ name, event }) => ({
    name,
    sql: `CREATE TRIGGER ${name} ${event} BEGIN SELECT RAISE(ABORT, 'audit events are only added'); END`,
  }));
  const found = client.prepare<[string], { sql: string }>(
    "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?",
  );
  const missing = wanted.filter(({ name, sql }) => found.get(name)?.sql !== sql);
  if (missing.length === 0) return;
  const statements = missing.map(({ name, sql }) => `DROP TRIGGER IF EXISTS ${name}; ${sql};`);
  client.exec(`BEGIN IMMEDIATE; ${statements.join(" ")} COMMIT;`);
}

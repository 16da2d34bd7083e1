import type Database from "better-sqlite3";
import { assert } from "../../../core/values/assert.ts";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { migrate } from "drizzle-orm/better-sqlite3/migrator";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { StoreOpenError } from "../../shared/store-open-error.ts";

/**
 * Refuses a database that has migrations which this program does not know: of a newer version, or from before the first
 * release, whose migrations were replaced by one. Only reads.
 */
export function checkMigrationsKnown(
  client: Database.Database,
  file: string,
  migrationsFolder: string,
): void {
  const known = readMigrationFiles({ migrationsFolder }).map((one) => one.folderMillis);
  const unknown = appliedMigrations(client).filter((createdAt) => !known.includes(createdAt));
  if (unknown.length === 0) return;
  if (unknown.some((createdAt) => createdAt < Math.min(...known))) {
    throw new StoreOpenError(
      `${file} was written by a version of jit-access before the first release, and cannot be upgraded; it was left as it is. Start that version, end all access, and export the audit log (jit audit export) and the policies (jit policy list). Then start this version with an empty data folder. The steps are in docs/running.md.`,
    );
  }
  throw new StoreOpenError(
    `${file} was written by a newer version of jit-access; it was left as it is. Start that version, or restore a backup.`,
  );
}

/**
 * Applies the missing migrations. Foreign keys are off meanwhile, because rebuilding a table would cascade, and are
 * checked before and after. The check reads every row, so the file keeps in `user_version` how many migrations it has
 * passed: a later start skips it, and repeats it if the process died before it was done.
 *
 * @throws StoreOpenError when a row refers to one that does not exist, or the tables cannot be changed; nothing has
 *   changed then.
 */
export function migrateTables(client: Database.Database, migrationsFolder: string): void {
  const known = readMigrationFiles({ migrationsFolder });
  const isBehind = firstMissing(client, known) !== undefined;
  if (!isBehind && client.pragma("user_version", { simple: true }) === known.length) return;
  const dangling = danglingRow(client);
  if (dangling !== undefined) {
    throw new StoreOpenError(
      `${client.name} is damaged: a row of ${dangling.table} refers to one of ${dangling.parent} that is not there. It was left as it is; restore a backup.`,
    );
  }
  if (isBehind) {
    client.pragma("foreign_keys = OFF");
    migrateOrRefuse(client, migrationsFolder);
    const skipped = firstMissing(client, known);
    assert(skipped === undefined, `the migration of ${skipped} was not skipped`);
    assert(danglingRow(client) === undefined, "every foreign key holds after migrating");
  }
  client.pragma(`user_version = ${known.length}`);
}

/** Drizzle migrates in one transaction. On a full disk SQLite rolls it back, and the cause of Drizzle's error says why. */
function migrateOrRefuse(client: Database.Database, migrationsFolder: string): void {
  try {
    migrate(drizzle(client), { migrationsFolder });
  } catch (error) {
    const { cause } = error instanceof Error ? error : {};
    const why = cause instanceof Error ? ` (${cause.message})` : "";
    throw new StoreOpenError(
      `The tables of ${client.name} could not be upgraded, and were left as they were${why}. An upgrade needs as much free disk space as the file is large.`,
      { cause: error },
    );
  }
}

function danglingRow(
  client: Database.Database,
): { readonly table: string; readonly parent: string } | undefined {
  return client.prepare<[], { table: string; parent: string }>("PRAGMA foreign_key_check").get();
}

/** The timestamp of the first migration that has not been applied. */
function firstMissing(
  client: Database.Database,
  known: readonly { readonly folderMillis: number }[],
): number | undefined {
  const applied = new Set(appliedMigrations(client));
  return known.find(({ folderMillis }) => !applied.has(folderMillis))?.folderMillis;
}

/** The timestamps (`when` in the journal) that identify the migrations. */
function appliedMigrations(client: Database.Database): readonly number[] {
  const table = client
    .prepare<[], { name: string }>("SELECT name FROM sqlite_master WHERE name = '__drizzle_migrations'")
    .get();
  if (table === undefined) return [];
  return client
    .prepare<[], { createdAt: number }>("SELECT created_at AS createdAt FROM __drizzle_migrations")
    .all()
    .map((row) => row.createdAt);
}

import type Database from "better-sqlite3";
import { assert } from "../../../core/values/assert.ts";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { migrate } from "drizzle-orm/better-sqlite3/migrator";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { StoreOpenError } from "../../shared/store-open-error.ts";

/** Refuses a database that a newer version of this program has already changed. Only reads. */
export function checkNotNewer(client: Database.Database, file: string, migrationsFolder: string): void {
  const known = new Set(readMigrationFiles({ migrationsFolder }).map((one) => one.folderMillis));
  if (appliedMigrations(client).some((createdAt) => !known.has(createdAt))) {
    throw new StoreOpenError(
      `${file} was written by a newer version of jit-access; it was left as it is. Start that version, or restore a backup.`,
    );
  }
}

/**
 * Brings the tables up to date. Foreign keys are off meanwhile, for rebuilding a table would cascade, and checked before
 * and after. The file keeps how many migrations were checked (`user_version`), for the check reads every row there is: it
 * is left out where it has passed, and made up for where the process died before it had.
 *
 * @throws StartRefused when the rows do not fit together, or the tables cannot be changed; they are left as they are.
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

/** Drizzle migrates in one transaction. Where the disk is full SQLite takes it back by itself, and Drizzle says just that. */
function migrateOrRefuse(client: Database.Database, migrationsFolder: string): void {
  try {
    migrate(drizzle(client), { migrationsFolder });
  } catch (error) {
    const { cause } = error instanceof Error ? error : {};
    const why = cause instanceof Error ? ` (${cause.message})` : "";
    throw new StoreOpenError(
      `The tables of ${client.name} could not be brought up to date, and were left as they were${why}. That takes as much space again as the file: is the disk full?`,
      { cause: error },
    );
  }
}

function danglingRow(
  client: Database.Database,
): { readonly table: string; readonly parent: string } | undefined {
  return client.prepare<[], { table: string; parent: string }>("PRAGMA foreign_key_check").get();
}

/** The when-stamp of the first migration that has not been applied. */
function firstMissing(
  client: Database.Database,
  known: readonly { readonly folderMillis: number }[],
): number | undefined {
  const applied = new Set(appliedMigrations(client));
  return known.find(({ folderMillis }) => !applied.has(folderMillis))?.folderMillis;
}

/** When-stamps of the journal, which name a migration. */
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

import { createRequire } from "node:module";
import type * as Orm from "drizzle-orm";
import type * as Driver from "drizzle-orm/better-sqlite3";
import type * as DriverMigrator from "drizzle-orm/better-sqlite3/migrator";
import type * as Migrator from "drizzle-orm/migrator";
import type * as SqliteCore from "drizzle-orm/sqlite-core";

/**
 * Drizzle, in its CommonJS form. For each of a package's ES modules Node reads the package's `package.json` afresh, and
 * Drizzle has a hundred modules and 180 KB of it: as ES modules they cost half of a start and 200 MB.
 */
const require = createRequire(import.meta.url);
const orm: typeof Orm = require("drizzle-orm");
const sqliteCore: typeof SqliteCore = require("drizzle-orm/sqlite-core");
const driver: typeof Driver = require("drizzle-orm/better-sqlite3");
const migrator: typeof Migrator = require("drizzle-orm/migrator");
const driverMigrator: typeof DriverMigrator = require("drizzle-orm/better-sqlite3/migrator");

export const {
  Column,
  and,
  asc,
  count,
  desc,
  eq,
  gt,
  gte,
  inArray,
  is,
  isNull,
  lt,
  lte,
  min,
  ne,
  or,
  Param,
  Placeholder,
  sql,
} = orm;
export const { alias, index, integer, primaryKey, sqliteTable, text, unionAll } = sqliteCore;
export const { drizzle } = driver;
export const { readMigrationFiles } = migrator;
export const { migrate } = driverMigrator;

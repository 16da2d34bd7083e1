import type Database from "better-sqlite3";
import { resolve } from "node:path";
import { formatToken } from "../src/core/values/token-format.ts";
import { instant, makeId, type IdentityId, type Instant } from "../src/core/values/ids.ts";
import type { Role } from "../src/core/values/identity.ts";
import { hourMs, minuteMs, plus } from "../src/core/values/time.ts";
import { openDatabase } from "../src/store/sqlite/file/open-database.ts";
import {
  claimedFixture,
  grantFixture,
  hashOf,
  identityFixture,
  keyFixture,
} from "../test/support/fixtures.ts";
import { packageRoot } from "./processes.ts";

/** Rows per transaction. */
const chunkSize = 20_000;

/** Fills a new database without the store and without syncing, because that takes a million rows in a minute. */
export function seed(file: string, fill: (client: Database.Database) => void): void {
  const database = openDatabase(file, resolve(packageRoot, "migrations/sqlite"));
  database.writer.pragma("synchronous = OFF");
  fill(database.writer);
  database.close();
}

export function personId(index: number): IdentityId {
  return makeId("identity", `person${index}`);
}

/** Adds `count` active people, `id_person0` and so on. */
export function addPeople(client: Database.Database, count: number): void {
  const insert = client.prepare(
    "INSERT INTO identities (id, version, email, managed_by, value) VALUES (?, 1, ?, 'api', ?)",
  );
  inChunks(client, count, (index) => {
    const person = identityFixture(`person${index}`);
    insert.run(person.id, person.email, JSON.stringify(person));
  });
}

/** Adds a key for the identity that outlasts the run, and returns its token. */
export function addKey(client: Database.Database, identityId: IdentityId, roles: readonly Role[]): string {
  const token = tokenOf("live", `key${identityId.replaceAll("_", "")}`);
  const key = keyFixture(identityId, {
    identityId,
    roles,
    hash: hashOf(token),
    expiresAt: plus(instant(Date.now()), 24 * hourMs),
  });
  client
    .prepare("INSERT INTO api_keys (id, version, identity_id, hash, value) VALUES (?, 1, ?, ?, ?)")
    .run(key.id, identityId, key.hash, JSON.stringify(key));
  return token;
}

/** The token of credential number `index`. */
export function credentialToken(index: number): string {
  return tokenOf("jit", String(index));
}

/**
 * Adds `count` active grants with one used credential each, spread over `people`. Rows that neither checks nor sweeps
 * read (scopes, selectors, starts) are omitted.
 */
export function addGrants(
  client: Database.Database,
  count: number,
  people: number,
  startedAt: Instant,
  expiresAt: (index: number) => Instant,
): void {
  const insert = prepareInserts(client);
  inChunks(client, count, (index) => {
    const tail = String(index).padStart(8, "0");
    const subjectId = personId(index % people);
    const request = claimedFixture(tail, { subjectId, requestedById: subjectId, requestedAt: startedAt });
    const ends = expiresAt(index);
    const fixture = grantFixture(tail, { subjectId, startedAt, expiresAt: ends });
    const token = credentialToken(index);
    const credential = { ...fixture.credential, hash: hashOf(token), last4: token.slice(-4) };
    const grant = { ...fixture, credential };
    insert.request.run(
      request.id,
      subjectId,
      subjectId,
      startedAt,
      startedAt,
      ends,
      grant.id,
      JSON.stringify(request),
    );
    const { lastInsertRowid } = insert.grant.run(
      grant.id,
      request.id,
      subjectId,
      ends,
      JSON.stringify(grant),
    );
    insert.credential.run(
      credential.id,
      lastInsertRowid,
      credential.hash,
      credential.last4,
      credential.issuedAt,
      startedAt,
      grant.scopes.join(" "),
      startedAt,
    );
  });
  const counter = client.prepare("INSERT INTO counters (key, used) VALUES (?, ?)");
  inChunks(client, people, (index) => counter.run(`active:${personId(index)}`, Math.ceil(count / people)));
}

/** A start time for access that ends long after the run. */
export function startedBefore(now: Instant): Instant {
  return plus(now, -30 * minuteMs);
}

function prepareInserts(client: Database.Database) {
  return {
    request: client.prepare(
      `INSERT INTO requests (id, version, subject_id, requested_by_id, requested_at, latest_at, status, lapses_at, broke_glass, grant_id, value)
       VALUES (?, 1, ?, ?, ?, ?, 'ACTIVE', ?, 0, ?, ?)`,
    ),
    grant: client.prepare(
      "INSERT INTO grants (id, version, request_id, subject_id, phase, expires_at, value) VALUES (?, 1, ?, ?, 'ACTIVE', ?, ?)",
    ),
    credential: client.prepare(
      `INSERT INTO credentials (id, grant_ord, hash, last4, issued_at, current, first_used_at, scope, started_at, break_glass)
       VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, 0)`,
    ),
  };
}

export function inChunks(client: Database.Database, count: number, add: (index: number) => void): void {
  const chunk = client.transaction((from: number) => {
    for (let index = from; index < Math.min(count, from + chunkSize); index++) add(index);
  });
  for (let from = 0; from < count; from += chunkSize) chunk(from);
}

function tokenOf(kind: "jit" | "live", name: string): string {
  return formatToken(kind, name.padStart(30, "0").slice(-30));
}

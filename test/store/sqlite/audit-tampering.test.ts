import Database from "better-sqlite3";
import { expect, test } from "vitest";
import type { AuditVerdict } from "../../../src/service/ports/store.ts";
import { chainHash } from "../../../src/store/shared/audit-chain.ts";
import { at, auditFixture, stepFixture } from "../../support/fixtures.ts";
import { committed, openStore, temporaryFile } from "./temporary-store.ts";

/** Changes the records of a store with 700 of them past its triggers, and returns what verifying reports. */
async function verdictAfter(tamper: (client: Database.Database) => void): Promise<AuditVerdict> {
  const file = temporaryFile();
  const store = await openStore({ file });
  const audit = Array.from({ length: 700 }, (_, index) => auditFixture({ at: at(index), data: { index } }));
  await committed(store, stepFixture({ audit }));
  await store.close();
  const client = new Database(file);
  for (const { name } of client
    .prepare<[], { name: string }>("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    .all()) {
    client.exec(`DROP TRIGGER ${name}`);
  }
  tamper(client);
  client.close();
  return (await openStore({ file })).verifyAudit();
}

const sql = (text: string) => (client: Database.Database) => void client.exec(text);

/** Writes a body with the hash that fits it, as an attacker who knows the format would. */
const rehash = (seq: number, body: string) => (client: Database.Database) => {
  const previous = client
    .prepare<[number], { hash: string }>("SELECT hash FROM audit_events WHERE seq = ?")
    .get(seq - 1);
  const hash = chainHash(previous?.hash ?? "", seq, body);
  client.prepare("UPDATE audit_events SET body = ?, hash = ? WHERE seq = ?").run(body, hash, seq);
};

test("an untouched chain verifies", async () => {
  expect(await verdictAfter(() => undefined)).toMatchObject({ ok: true, events: 700 });
});

test.each<readonly [string, number, "hash" | "gap" | "body", (client: Database.Database) => void]>([
  [
    "an edited body",
    650,
    "hash",
    sql("UPDATE audit_events SET body = replace(body, 'Dev', 'Eve') WHERE seq = 650"),
  ],
  ["a body that is no JSON any more", 3, "hash", sql("UPDATE audit_events SET body = 'x' WHERE seq = 3")],
  [
    "a body whose bytes are no text",
    3,
    "hash",
    sql("UPDATE audit_events SET body = CAST(x'ff' AS TEXT) WHERE seq = 3"),
  ],
  [
    "an edited hash",
    5,
    "hash",
    sql("UPDATE audit_events SET hash = replace(hash, substr(hash, 1, 1), '_') WHERE seq = 5"),
  ],
  ["a hash in capitals", 5, "hash", sql("UPDATE audit_events SET hash = upper(hash) WHERE seq = 5")],
  ["a body and its hash made anew", 8, "hash", rehash(7, '{"forged":true}')],
  ["a last body that is not canonical, with the hash made anew", 700, "body", rehash(700, '{"b":1, "a":2}')],
  ["a deleted first record", 1, "gap", sql("DELETE FROM audit_events WHERE seq = 1")],
  ["a deleted record in the middle", 600, "gap", sql("DELETE FROM audit_events WHERE seq = 600")],
  [
    "a deleted record with the later ones moved up",
    600,
    "hash",
    sql(`DELETE FROM audit_events WHERE seq = 600; UPDATE audit_events SET seq = -(seq - 1) WHERE seq > 600;
         UPDATE audit_events SET seq = -seq WHERE seq < 0`),
  ],
  [
    "two records swapped",
    10,
    "hash",
    sql(`UPDATE audit_events SET seq = -1 WHERE seq = 10; UPDATE audit_events SET seq = 10 WHERE seq = 11;
         UPDATE audit_events SET seq = 11 WHERE seq = -1`),
  ],
  [
    "a record inserted in the middle",
    20,
    "hash",
    sql(`UPDATE audit_events SET seq = -(seq + 1) WHERE seq >= 20; UPDATE audit_events SET seq = -seq WHERE seq < 0;
         INSERT INTO audit_events (seq, body, hash) SELECT 20, body, hash FROM audit_events WHERE seq = 19`),
  ],
  [
    "a record inserted before the first",
    0,
    "gap",
    sql("INSERT INTO audit_events (seq, body, hash) SELECT 0, body, hash FROM audit_events WHERE seq = 1"),
  ],
  [
    "a record added at the end with a copied hash",
    701,
    "hash",
    sql(
      "INSERT INTO audit_events (seq, body, hash) SELECT 701, body, hash FROM audit_events WHERE seq = 700",
    ),
  ],
])("%s is found at %i as a bad %s", async (_what, seq, kind, tamper) => {
  expect(await verdictAfter(tamper)).toMatchObject({ ok: false, firstBad: { seq, kind } });
});

import Database from "better-sqlite3";
import { statSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { createSnapshot } from "../../../src/store/sqlite/reads/read-snapshot.ts";
import { committed, openStore, temporaryFile, temporaryFolder } from "./temporary-store.ts";
import { auditFixture, stepFixture } from "../../support/fixtures.ts";

test("what is read in one turn is of one moment, and the next turn sees what came meanwhile", async () => {
  const file = temporaryFile();
  const store = await openStore({ file });
  const outside = new Database(file);
  onTestFinished(() => void outside.close());
  const before = await store.auditHead();
  outside.exec(`INSERT INTO audit_events (seq, body, hash) VALUES (${before.seq + 1}, '{}', 'x')`);
  expect(await store.auditHead()).toEqual(before);
  await nextTurn();
  expect((await store.auditHead()).seq).toBe(before.seq + 1);
});

test("what we write is seen by the very next read", async () => {
  const store = await openStore();
  for (let seq = 1; seq <= 50; seq++) {
    expect((await store.auditHead()).seq).toBe(seq - 1);
    const writing = committed(store, stepFixture({ audit: [auditFixture()] }));
    await store.auditHead();
    await writing;
    expect((await store.auditHead()).seq).toBe(seq);
  }
});

test("what the other thread has written is seen as soon as it is answered, whatever was read in the same turn", async () => {
  const store = await openStore({ alwaysApart: true });
  let heldFromBefore = 0;
  for (let seq = 1; seq <= 10; seq++) {
    const writing = committed(store, stepFixture({ audit: [auditFixture()] }));
    // Held until the next turn of the event loop ends, and the thread is done before that begins.
    if ((await store.auditHead()).seq === seq - 1) heldFromBefore++;
    for (const until = performance.now() + 20; performance.now() < until;);
    await writing;
    expect((await store.auditHead()).seq).toBe(seq);
  }
  // Now and then the thread may have been faster than this one.
  expect(heldFromBefore).toBeGreaterThan(0);
});

test("the log starts over however much is read: every write lets go of what is held", () => {
  const file = join(temporaryFolder(), "jit.db");
  const [writer, reader] = [new Database(file), new Database(file)];
  onTestFinished(() => {
    reader.close();
    writer.close();
  });
  for (const pragma of ["journal_mode = WAL", "wal_autocheckpoint = 10"]) writer.pragma(pragma);
  writer.exec("CREATE TABLE t (value TEXT)");
  const snapshot = createSnapshot(reader);
  const write = writer.prepare("INSERT INTO t VALUES (hex(randomblob(1000)))");
  const read = reader.prepare("SELECT count(*) FROM t").pluck();
  for (let count = 0; count < 500; count++) {
    snapshot.hold();
    expect(read.get()).toBe(count);
    snapshot.release();
    write.run();
    snapshot.hold();
  }
  expect(statSync(`${file}-wal`).size).toBeLessThan(30 * 4_096 + 4_096);
});

test("a read that failed leaves nothing open, and one on a closed store says that it is closed", async () => {
  const client = new Database(":memory:");
  const snapshot = createSnapshot(client);
  snapshot.hold();
  client.exec("ROLLBACK");
  expect(() => snapshot.release()).not.toThrow();
  snapshot.hold();
  expect(client.inTransaction).toBe(true);
  client.close();
  expect(() => [snapshot.release(), snapshot.hold()]).not.toThrow();
  const store = await openStore();
  await store.close();
  await expect(store.auditHead()).rejects.toThrow(/not open/);
});

import Database from "better-sqlite3";
import { statSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { auditFixture, stepFixture } from "../../support/fixtures.ts";
import { storeContract } from "../contract/store-contract.ts";
import { committed, openStore, temporaryFile } from "./temporary-store.ts";

storeContract("SQLite", openStore);

const recorded = (text: string) => stepFixture({ audit: [auditFixture({ data: { text } })] });

test("a step is seen by the next read after its commit, and is on disk before the commit resolves", async () => {
  const file = temporaryFile();
  const store = await openStore({ file });
  const outside = new Database(file, { readonly: true });
  onTestFinished(() => void outside.close());
  const onDisk = outside.prepare("SELECT max(seq) FROM audit_events").pluck();
  for (let seq = 1; seq <= 50; seq++) {
    expect((await store.auditHead()).seq).toBe(seq - 1);
    const writing = committed(store, recorded("x"));
    await store.auditHead();
    await writing;
    expect([(await store.auditHead()).seq, onDisk.get()]).toEqual([seq, seq]);
  }
});

test("a store that is closed under load has written every step it accepted, and leaves no log behind", async () => {
  const file = temporaryFile();
  const store = await openStore({ file });
  const all = Array.from({ length: 200 }, async (_, index) => store.commit(recorded(`a${index}`)));
  await store.close();
  for (const result of await Promise.all(all)) expect(result).toEqual({ ok: true });
  expect(() => statSync(`${file}-wal`)).toThrow("no such file");
  const again = await openStore({ file });
  expect((await again.auditHead()).seq).toBe(200);
  expect(await again.verifyAudit()).toMatchObject({ ok: true });
});

test("the write-ahead log stays short although somebody reads between the writes", async () => {
  const file = temporaryFile();
  const store = await openStore({ file });
  const text = "x".repeat(100_000);
  for (let count = 0; count < 200; count++) {
    await committed(store, recorded(text));
    await store.auditHead();
  }
  expect(statSync(`${file}-wal`).size).toBeLessThan(8_000_000);
});

test("a read of a closed store says that it is closed", async () => {
  const store = await openStore();
  await store.close();
  await expect(store.auditHead()).rejects.toThrow(/not open/);
});

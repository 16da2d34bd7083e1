import { existsSync, mkdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type Database from "better-sqlite3";
import { expect, test } from "vitest";
import { DiskFull } from "../../../src/service/ports/store.ts";
import { withReservedSpace } from "../../../src/service/guards/reserved-space.ts";
import { createDiskReserve, reserveBytes } from "../../../src/store/sqlite/file/disk-reserve.ts";
import { auditFixture, stepFixture } from "../../support/fixtures.ts";
import { openStore, temporaryFile } from "./temporary-store.ts";

function place() {
  const file = temporaryFile();
  mkdirSync(dirname(file), { mode: 0o700 });
  return { file, reserve: join(dirname(file), "reserve") };
}

test("the reserve is a private file of full size, and can be released and created again", () => {
  const { file, reserve: path } = place();
  const reserve = createDiskReserve(file);
  reserve.keep();
  const { size, mode, blocks } = statSync(path);
  expect([reserve.isMissing(), size, mode & 0o777]).toEqual([false, reserveBytes, 0o600]);
  expect(blocks * 512).toBeGreaterThanOrEqual(reserveBytes);
  reserve.release();
  expect([reserve.isMissing(), existsSync(path)]).toEqual([true, false]);
  reserve.keep();
  expect([reserve.isMissing(), existsSync(path)]).toEqual([false, true]);
});

test("the reserve is created only if the disk has more room than it takes, and again if it was cut short", () => {
  const { file, reserve: path } = place();
  let free = reserveBytes;
  const reserve = createDiskReserve(file, () => free);
  reserve.keep();
  expect([reserve.isMissing(), existsSync(path)]).toEqual([true, false]);
  free += 1024 * 1024;
  reserve.keep();
  truncateSync(path, 100);
  reserve.keep();
  expect([reserve.isMissing(), statSync(path).size]).toEqual([false, reserveBytes]);
});

test("a reserve that cannot be written is missing", () => {
  const { file, reserve: path } = place();
  mkdirSync(path);
  writeFileSync(join(path, "in-the-way"), "");
  const reserve = createDiskReserve(file);
  reserve.keep();
  expect(reserve.isMissing()).toBe(true);
});

test("the end of a grant is written although the disk has no page left", async () => {
  let writer: Database.Database | undefined;
  const plain = await openStore({ onWriter: (client) => (writer = client) });
  const limit = (pages: string): void => void writer?.pragma(`max_page_count = ${pages}`);
  let isReleased = false;
  const reserve = {
    isMissing: () => isReleased,
    release: () => {
      isReleased = true;
      limit("1000000");
    },
    keep: () => {},
  };
  const store = withReservedSpace(plain, reserve, () => 0);
  limit(String(writer?.pragma("page_count", { simple: true })));
  const text = "x".repeat(100_000);
  const big = (action: "grant.revoked" | "request.submitted") =>
    stepFixture({ audit: [auditFixture({ action, data: { text } })] });
  await expect(store.commit(big("request.submitted"))).rejects.toBeInstanceOf(DiskFull);
  expect(await store.commit(big("grant.revoked"))).toEqual({ ok: true });
  expect((await store.auditHead()).seq).toBe(1);
});

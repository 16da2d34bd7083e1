import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { AuditAction } from "../../../src/core/audit/audit-record.ts";
import { createAuditFile, type AuditFile } from "../../../src/notify/audit-file/audit-file.ts";
import type { Store } from "../../../src/service/ports/store.ts";
import { withCommitListeners } from "../../../src/service/ports/observed-store.ts";
import { auditFixture, stepFixture } from "../../support/fixtures.ts";
import { committed, openStore, temporaryFolder } from "../../store/sqlite/temporary-store.ts";

interface Following {
  readonly store: Store;
  readonly file: AuditFile;
  readonly path: string;
  readonly log: { readonly level: string; readonly msg: string }[];
  record(...actions: readonly AuditAction[]): Promise<void>;
}

async function open(store?: Store, path = join(temporaryFolder(), "audit.jsonl")): Promise<Following> {
  const plain = store ?? (await openStore());
  const log: { level: string; msg: string }[] = [];
  const file = createAuditFile({
    path,
    store: plain,
    log: {
      info: (_, msg) => log.push({ level: "info", msg }),
      error: (_, msg) => log.push({ level: "error", msg }),
    },
  });
  onTestFinished(() => file.stop());
  const wakes = withCommitListeners(plain, [file.onCommit]);
  return {
    store: plain,
    file,
    path,
    log,
    record: async (...actions) => {
      for (const action of actions)
        await committed(wakes, stepFixture({ audit: [auditFixture({ action })] }));
    },
  };
}

const lines = (path: string): readonly string[] =>
  existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
const seqs = (path: string): readonly number[] => lines(path).map((line) => JSON.parse(line).seq);

test("each record is one line as the API shows it, in a file for its owner alone", async () => {
  const { store, file, path, record } = await open();
  await record("request.submitted");
  await file.start();
  await record("grant.started");
  await expect.poll(() => seqs(path)).toEqual([1, 2]);
  const rows = await store.auditEvents({ after: 0, limit: 9 });
  expect(lines(path).map((line) => JSON.parse(line))).toEqual(
    rows.map(({ seq, body, previousHash, hash }) => ({ seq, ...JSON.parse(body), previousHash, hash })),
  );
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a restart writes what was recorded meanwhile, and nothing twice", async () => {
  const first = await open();
  await first.file.start();
  await first.record("grant.started");
  await first.file.stop();
  await first.record("grant.expired");
  const second = await open(first.store, first.path);
  await second.file.start();
  await expect.poll(() => seqs(first.path)).toEqual([1, 2]);
});

test("a crash between writing and noting it repeats nothing: the file is read back", async () => {
  const first = await open();
  const forgetful = { ...first.store, commit: async () => ({ ok: true }) as const };
  await first.record("grant.started", "grant.expired");
  const crashed = await open(forgetful, first.path);
  await crashed.file.start();
  await expect.poll(() => seqs(first.path)).toEqual([1, 2]);
  expect(await first.store.cursors()).toEqual([]);
  await crashed.file.stop();
  const second = await open(first.store, first.path);
  await second.file.start();
  await second.record("grant.completed");
  await expect.poll(() => seqs(first.path)).toEqual([1, 2, 3]);
});

test.each([1, 10, 200])(
  "a line broken off %i bytes before its end is cut away and written whole",
  async (bytes) => {
    const first = await open();
    const forgetful = { ...first.store, commit: async () => ({ ok: true }) as const };
    await first.record("grant.started", "grant.expired");
    const crashed = await open(forgetful, first.path);
    await crashed.file.start();
    await expect.poll(() => seqs(first.path)).toEqual([1, 2]);
    await crashed.file.stop();
    truncateSync(first.path, statSync(first.path).size - bytes);
    const second = await open(first.store, first.path);
    await second.file.start();
    await expect.poll(() => seqs(first.path)).toEqual([1, 2]);
  },
);

test("after a rotation it goes on in a new file when told to, in the old one until then", async () => {
  const { file, path, record } = await open();
  await file.start();
  await record("grant.started");
  await expect.poll(() => seqs(path)).toEqual([1]);
  const old = `${path}.1`;
  renameSync(path, old);
  await record("grant.expired");
  await expect.poll(() => seqs(old)).toEqual([1, 2]);
  await file.reopen();
  await record("grant.completed");
  await expect.poll(() => seqs(path)).toEqual([3]);
  expect(seqs(old)).toEqual([1, 2]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("rotation by copying and cutting loses nothing that is recorded afterwards", async () => {
  const { file, path, record } = await open();
  await file.start();
  await record("grant.started");
  await expect.poll(() => seqs(path)).toEqual([1]);
  truncateSync(path, 0);
  await record("grant.expired");
  await expect.poll(() => seqs(path)).toEqual([2]);
});

test("what somebody else has written there is kept, and so is the mode they gave it", async () => {
  const { file, path, record } = await open();
  writeFileSync(path, "# begun by hand");
  chmodSync(path, 0o640);
  await file.start();
  await record("grant.started");
  await expect.poll(() => lines(path).length).toBe(2);
  expect(lines(path)[0]).toBe("# begun by hand");
  expect(statSync(path).mode & 0o777).toBe(0o640);
});

test("a file that is ahead of the database, as after a restore, does not make it leave records out", async () => {
  const { file, path, record } = await open();
  await record("grant.started");
  appendFileSync(path, `${JSON.stringify({ seq: 1, hash: "f".repeat(64) })}\n`);
  await file.start();
  await expect.poll(() => seqs(path)).toEqual([1, 1]);
});

test("a file that cannot be opened stops the start; one that fails later is said once and tried again", async () => {
  const folder = join(temporaryFolder(), "gone");
  const refused = await open(undefined, join(folder, "audit.jsonl"));
  await expect(refused.file.start()).rejects.toMatchObject({ code: "ENOENT" });

  mkdirSync(folder);
  const { file, path, record, log } = await open(undefined, join(folder, "audit.jsonl"));
  await file.start();
  rmSync(folder, { recursive: true });
  await file.reopen();
  await record("grant.started");
  await file.reopen();
  expect(log).toEqual([{ level: "error", msg: "audit file cannot be written" }]);
  mkdirSync(folder);
  await file.sweep.run();
  await expect.poll(() => seqs(path)).toEqual([1]);
  expect(log.at(-1)).toEqual({ level: "info", msg: "audit file is written again" });
});

test("thousands of records at once are written once each, in order", async () => {
  const { store, file, path } = await open();
  await file.start();
  const audit = Array.from({ length: 2_500 }, () => auditFixture({ data: { text: "a\nb\u2028" } }));
  await committed(withCommitListeners(store, [file.onCommit]), stepFixture({ audit }));
  await expect.poll(() => lines(path).length).toBe(2_500);
  expect(seqs(path)).toEqual(audit.map((_, index) => index + 1));
});

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
import { committed } from "../../support/committed.ts";
import { openTestStore, temporaryFolder } from "../../support/test-store.ts";

interface AuditFileHarness {
  readonly store: Store;
  readonly file: AuditFile;
  readonly path: string;
  readonly log: { readonly level: string; readonly msg: string }[];
  record(...actions: readonly AuditAction[]): Promise<void>;
}

async function openHarness(
  store?: Store,
  path = join(temporaryFolder(), "audit.jsonl"),
): Promise<AuditFileHarness> {
  const bareStore = store ?? (await openTestStore());
  const log: { level: string; msg: string }[] = [];
  const file = createAuditFile({
    path,
    store: bareStore,
    log: {
      info: (_, msg) => log.push({ level: "info", msg }),
      error: (_, msg) => log.push({ level: "error", msg }),
    },
  });
  onTestFinished(() => file.stop());
  const observed = withCommitListeners(bareStore, [file.onCommit]);
  return {
    store: bareStore,
    file,
    path,
    log,
    record: async (...actions) => {
      for (const action of actions)
        await committed(observed, stepFixture({ audit: [auditFixture({ action })] }));
    },
  };
}

const lines = (path: string): readonly string[] =>
  existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
const seqs = (path: string): readonly number[] => lines(path).map((line) => JSON.parse(line).seq);

test("each record is one line as in the API, in a file only its owner can read", async () => {
  const { store, file, path, record } = await openHarness();
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

test("a restart writes the records made in the meantime, and none twice", async () => {
  const first = await openHarness();
  await first.file.start();
  await first.record("grant.started");
  await first.file.stop();
  await first.record("grant.expired");
  const second = await openHarness(first.store, first.path);
  await second.file.start();
  await expect.poll(() => seqs(first.path)).toEqual([1, 2]);
});

test("a crash between writing and saving the cursor repeats nothing, because the file is read", async () => {
  const first = await openHarness();
  const losingCursors = { ...first.store, commit: async () => ({ ok: true }) as const };
  await first.record("grant.started", "grant.expired");
  const crashed = await openHarness(losingCursors, first.path);
  await crashed.file.start();
  await expect.poll(() => seqs(first.path)).toEqual([1, 2]);
  expect(await first.store.cursors()).toEqual([]);
  await crashed.file.stop();
  const second = await openHarness(first.store, first.path);
  await second.file.start();
  await second.record("grant.completed");
  await expect.poll(() => seqs(first.path)).toEqual([1, 2, 3]);
});

test.each([1, 10, 200])(
  "a line that lacks its last %i bytes is truncated and written again",
  async (bytes) => {
    const first = await openHarness();
    const losingCursors = { ...first.store, commit: async () => ({ ok: true }) as const };
    await first.record("grant.started", "grant.expired");
    const crashed = await openHarness(losingCursors, first.path);
    await crashed.file.start();
    await expect.poll(() => seqs(first.path)).toEqual([1, 2]);
    await crashed.file.stop();
    truncateSync(first.path, statSync(first.path).size - bytes);
    const second = await openHarness(first.store, first.path);
    await second.file.start();
    await expect.poll(() => seqs(first.path)).toEqual([1, 2]);
  },
);

test("after a rotation it continues in the old file until it is told to reopen", async () => {
  const { file, path, record } = await openHarness();
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

test("copy-and-truncate rotation loses no record that is made afterwards", async () => {
  const { file, path, record } = await openHarness();
  await file.start();
  await record("grant.started");
  await expect.poll(() => seqs(path)).toEqual([1]);
  truncateSync(path, 0);
  await record("grant.expired");
  await expect.poll(() => seqs(path)).toEqual([2]);
});

test("lines of another program and the mode of the file are kept", async () => {
  const { file, path, record } = await openHarness();
  writeFileSync(path, "# begun by hand");
  chmodSync(path, 0o640);
  await file.start();
  await record("grant.started");
  await expect.poll(() => lines(path).length).toBe(2);
  expect(lines(path)[0]).toBe("# begun by hand");
  expect(statSync(path).mode & 0o777).toBe(0o640);
});

test("a file that is ahead of the database, as after a restore, causes no record to be skipped", async () => {
  const { file, path, record } = await openHarness();
  await record("grant.started");
  appendFileSync(path, `${JSON.stringify({ seq: 1, hash: "f".repeat(64) })}\n`);
  await file.start();
  await expect.poll(() => seqs(path)).toEqual([1, 1]);
});

test("a file that cannot be opened fails the start; a later failure is logged once and retried", async () => {
  const folder = join(temporaryFolder(), "gone");
  const refused = await openHarness(undefined, join(folder, "audit.jsonl"));
  await expect(refused.file.start()).rejects.toMatchObject({ code: "ENOENT" });

  mkdirSync(folder);
  const { file, path, record, log } = await openHarness(undefined, join(folder, "audit.jsonl"));
  await file.start();
  rmSync(folder, { recursive: true });
  await file.reopen();
  await record("grant.started");
  await file.reopen();
  expect(log).toEqual([{ level: "error", msg: "audit file cannot be written" }]);
  mkdirSync(folder);
  await file.sweep.run();
  await expect.poll(() => seqs(path)).toEqual([1]);
  expect(log.at(-1)).toEqual({ level: "info", msg: "audit file recovered" });
});

test("thousands of records in one commit are written once each, in order", async () => {
  const { store, file, path } = await openHarness();
  await file.start();
  const audit = Array.from({ length: 2_500 }, () => auditFixture({ data: { text: "a\nb\u2028" } }));
  await committed(withCommitListeners(store, [file.onCommit]), stepFixture({ audit }));
  await expect.poll(() => lines(path).length).toBe(2_500);
  expect(seqs(path)).toEqual(audit.map((_, index) => index + 1));
});

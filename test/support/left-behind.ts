import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect } from "vitest";

/** Every folder made here begins so, and nobody else's does. */
const prefix = `jit-program-${randomUUID().slice(0, 8)}-`;

/** Processes and folders by whom they belong to: one test, or the whole file when made outside of any. */
const ofFile = { running: new Set<ChildProcess>(), folders: new Set<string>() };
const ofTest = { running: new Set<ChildProcess>(), folders: new Set<string>() };
let isInTest = false;

/** A folder that is gone when the test (or, outside of one, the file) is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  (isInTest ? ofTest : ofFile).folders.add(folder);
  return folder;
}

/** Takes note of a process, so that it cannot outlive its test. */
export function keepTrackOf(child: ChildProcess): void {
  const { running } = isInTest ? ofTest : ofFile;
  running.add(child);
  child.once("exit", () => running.delete(child));
}

/** Ends the process at once and waits until it is gone. */
export async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

/**
 * Said once at the top of a file that starts programs. After each test and after the file everything is gone, also when
 * the test has failed; a test that passed but forgot to stop its program fails for that.
 */
export function leavesNothingBehind(): void {
  beforeEach(() => {
    isInTest = true;
  });
  afterEach(async ({ task }) => {
    isInTest = false;
    const forgotten = await tidied(ofTest);
    const kept = [...ofFile.folders];
    expect(leftFolders().filter((name) => !kept.some((folder) => folder.endsWith(name)))).toEqual([]);
    if (task.result?.state !== "fail") expect(forgotten, "programs this test did not stop").toEqual([]);
  });
  afterAll(async () => {
    const forgotten = await tidied(ofFile);
    expect(leftFolders()).toEqual([]);
    expect(forgotten, "programs this file did not stop").toEqual([]);
  });
}

/** Ends and removes what is left; the process ids it had to end itself. */
async function tidied({ running, folders }: typeof ofTest): Promise<readonly number[]> {
  const forgotten = [...running];
  await Promise.all(forgotten.map(killed));
  running.clear();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
  const ids = forgotten.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  expect(ids.filter(isRunning)).toEqual([]);
  return ids;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function leftFolders(): readonly string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(prefix));
}

process.on("exit", () => {
  for (const child of [...ofFile.running, ...ofTest.running]) child.kill("SIGKILL");
});

import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect } from "vitest";

/** The prefix of all folders made here, and of no others. */
const prefix = `jit-program-${randomUUID().slice(0, 8)}-`;

/** Processes and folders by owner: a test, or the file if created outside of tests. */
const ofFile = { running: new Set<ChildProcess>(), folders: new Set<string>() };
const ofTest = { running: new Set<ChildProcess>(), folders: new Set<string>() };
const closings: (() => Promise<void>)[] = [];
let isInTest = false;

/** A folder that is removed after the test, or after the file if created outside of tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  (isInTest ? ofTest : ofFile).folders.add(folder);
  return folder;
}

/** Registers a process, so that it cannot outlive its test. */
export function keepTrackOf(child: ChildProcess): void {
  const { running } = isInTest ? ofTest : ofFile;
  running.add(child);
  child.once("exit", () => running.delete(child));
}

/** Kills the process, or its whole group if it leads one, and waits for its end. */
export async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  killAll(child);
  await gone;
}

function killAll(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL");
  }
}

/**
 * Cleans up after each test and after the file. Call it once at the top of a file that starts programs. A test that
 * passes but leaves a program running fails. With concurrent tests everything belongs to the file.
 */
export function leavesNothingBehind({ sideBySide = false } = {}): void {
  beforeEach(() => {
    isInTest = !sideBySide;
  });
  afterEach(async ({ task }) => {
    isInTest = false;
    const forgotten = await tidied(ofTest);
    const kept = [...ofFile.folders];
    expect(leftFolders().filter((name) => !kept.some((folder) => folder.endsWith(name)))).toEqual([]);
    if (task.result?.state !== "fail") expect(forgotten, "programs this test did not stop").toEqual([]);
  });
  afterAll(async () => {
    // Cleans up before reporting errors, because vitest runs no further hook after one that threw.
    const closed = await Promise.allSettled(closings.map((close) => close()));
    const forgotten = await tidied(ofFile);
    for (const one of closed) if (one.status === "rejected") throw one.reason;
    expect(leftFolders()).toEqual([]);
    expect(forgotten, "programs this file did not stop").toEqual([]);
  });
}

/** Actions after the tests of the file, before the cleanup. */
export function whenFileIsOver(close: () => Promise<void>): void {
  closings.push(close);
}

/** Kills and removes what is left; returns the ids of processes it had to kill. */
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
  for (const child of [...ofFile.running, ...ofTest.running]) killAll(child);
  for (const folder of [...ofFile.folders, ...ofTest.folders])
    rmSync(folder, { recursive: true, force: true });
});

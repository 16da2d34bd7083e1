import { writeSync } from "node:fs";
import { present } from "../../src/core/values/assert.ts";
import { openTargetOffice, type TargetOffice } from "../service/support/target-harness.ts";
import { granted } from "../service/support/service-harness.ts";

/*
 * One life of access at two targets, in a process of its own: claimed, given, completed, taken back. With KILL_AT it ends
 * itself there, as SIGKILL does, at the step of that number. What a person has seen by then is on standard output.
 */
const say = (what: string, seen: unknown = {}): void =>
  void writeSync(1, `${JSON.stringify({ what, seen })}\n`);

const killAt = Number(process.env["KILL_AT"] ?? "0");
let steps = 0;
let isCounting = false;
const onStep = (step: string): void => {
  if (!isCounting || !step.startsWith("after")) return;
  steps++;
  if (steps === killAt) process.kill(process.pid, "SIGKILL");
};

export async function openTwoTargets(folder: string, hook?: (step: string) => void): Promise<TargetOffice> {
  return openTargetOffice({
    folder,
    more: [{ name: "cache", resources: "prod:orders" }],
    ...(hook !== undefined && { onStep: hook }),
  });
}

async function live(folder: string): Promise<void> {
  const office = await openTwoTargets(folder, onStep);
  const id = await office.approved();
  say("approved", id);
  isCounting = true;
  for (;;) {
    const claimed = granted(await office.claim(id));
    if (claimed.credential === undefined) continue;
    say("given", claimed.credential);
    break;
  }
  say("completing");
  granted(await office.services.desk.complete(await office.caller("dev"), id));
  say("completed");
  while ((await office.store.takeBacks()).waiting > 0) await office.tick();
  isCounting = false;
  say("gone", steps);
  process.exit(0);
}

if (process.env["LIFE_IN"] !== undefined) await live(present(process.env["LIFE_IN"], "a folder"));

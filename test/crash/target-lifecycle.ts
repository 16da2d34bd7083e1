import { writeSync } from "node:fs";
import { assertPresent } from "../../src/core/values/assert.ts";
import { openTargetHarness, type TargetHarness } from "../service/support/target-harness.ts";
import { unwrap } from "../service/support/service-harness.ts";

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

export async function openTwoTargets(folder: string, hook?: (step: string) => void): Promise<TargetHarness> {
  return openTargetHarness({
    folder,
    more: [{ name: "cache", resources: "prod:orders" }],
    ...(hook !== undefined && { onStep: hook }),
  });
}

async function live(folder: string): Promise<void> {
  const harness = await openTwoTargets(folder, onStep);
  const id = await harness.approved();
  say("approved", id);
  isCounting = true;
  for (;;) {
    const claimed = unwrap(await harness.claim(id));
    if (claimed.credential === undefined) continue;
    say("given", claimed.credential);
    break;
  }
  say("completing");
  unwrap(await harness.services.requestCommands.complete(await harness.caller("dev"), id));
  say("completed");
  while ((await harness.store.takeBacks()).waiting > 0) await harness.tick();
  isCounting = false;
  say("gone", steps);
  process.exit(0);
}

if (process.env["LIFE_IN"] !== undefined) await live(assertPresent(process.env["LIFE_IN"], "a folder"));

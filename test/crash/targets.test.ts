import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { assertPresent } from "../../src/core/values/assert.ts";
import { claimPreparedWithinMs } from "../../src/core/access/grant.ts";
import { hourMs, minuteMs, secondMs } from "../../src/core/values/time.ts";
import type { CredentialView } from "../../src/service/views/request-view.ts";
import type { FakeTarget } from "../fakes/fake-target.ts";
import { unwrap, refusalOrStatus } from "../service/support/service-harness.ts";
import { view, type TargetHarness } from "../service/support/target-harness.ts";
import { leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";
import { openTwoTargets } from "./target-lifecycle.ts";

leavesNothingBehind();

/** A step that never comes: the whole life is lived. */
const never = 10_000;

interface Life {
  readonly said: ReadonlyMap<string, unknown>;
  readonly given: CredentialView | undefined;
  readonly wasKilled: boolean;
}

async function live(folder: string, killAt: number): Promise<Life> {
  const file = resolve(import.meta.dirname, "target-lifecycle.ts");
  const env = { ...process.env, LIFE_IN: folder, KILL_AT: String(killAt) };
  const { promise, resolve: ended } = Promise.withResolvers<Life>();
  execFile(process.execPath, [file], { env }, (error, out, problems) => {
    const lines = out.split("\n").filter((line) => line !== "");
    const said = new Map(lines.map((line) => JSON.parse(line)).map(({ what, seen }) => [what, seen]));
    const wasKilled = error !== null && error.signal === "SIGKILL";
    if (error !== null && !wasKilled) throw new Error(`it failed by itself: ${problems}`);
    ended({ said, given: said.get("given"), wasKilled });
  });
  return promise;
}

/** What the person does who has seen so much and no more. Every secret they hold then opens its target. */
async function carryOn(
  harness: TargetHarness,
  id: string,
  targets: readonly FakeTarget[],
  life: Life,
): Promise<void> {
  const { status } = await view(harness, id);
  if (life.said.has("completing")) {
    const allowed = life.said.has("completed") ? ["COMPLETED"] : ["COMPLETED", "ACTIVE"];
    return expect(allowed).toContain(status);
  }
  const credential = life.given ?? (await obtain(harness, id, status));
  expect((await harness.services.tokenChecks.introspect(credential.token)).active).toBe(true);
  for (const target of targets) {
    const shown = assertPresent(
      credential.targets.find((one) => one.connector === target.name),
      target.name,
    );
    expect(target.opens(shown.username, shown.secret)).toBe(true);
    expect(Object.keys(target.state().objects)).toEqual([shown.username]);
  }
}

/** An answer that was lost is asked for again. */
async function obtain(harness: TargetHarness, id: string, status: string): Promise<CredentialView> {
  if (status === "ACTIVE") {
    const rotated = unwrap(await harness.services.requestCommands.rotate(await harness.caller("dev"), id));
    return assertPresent(rotated.credential, "a rotation shows its credential");
  }
  expect(status).toBe("APPROVED");
  for (let tries = 0; tries < 40; tries++) {
    const { credential } = unwrap(await harness.claim(id));
    if (credential !== undefined) return credential;
    await harness.live(10 * secondMs);
  }
  throw new Error("it was never given");
}

async function everythingHolds(folder: string, life: Life): Promise<void> {
  const harness = await openTwoTargets(folder);
  try {
    const id = String(life.said.get("approved"));
    const { targets } = harness;
    await carryOn(harness, id, targets, life);
    const ended = refusalOrStatus(
      await harness.services.requestCommands.complete(await harness.caller("dev"), id),
    );
    expect(["COMPLETED", "not_active"]).toContain(ended);
    await harness.live(minuteMs);
    for (const target of targets) {
      const { objects, history } = target.state();
      expect(objects, `left at ${target.name}`).toEqual({});
      const created = history.filter((one) => one.startsWith("create"));
      expect(new Set(created).size, `made twice at ${target.name}`).toBe(created.length);
      expect(history.filter((one) => one.startsWith("remove"))).toHaveLength(created.length);
    }
    expect(await harness.store.takeBacks()).toMatchObject({ waiting: 0 });
    expect(await harness.store.verifyAudit()).toMatchObject({ ok: true });
    expect(await harness.store.unrecorded(20)).toEqual([]);
  } finally {
    await harness.close();
  }
}

test("killed between any two steps of giving and taking back: no orphan, no double object, no lost answer", async () => {
  const whole = await live(temporaryFolder(), never);
  const steps = Number(whole.said.get("gone"));
  expect(steps, "steps to be killed at").toBeGreaterThan(15);
  const killed: number[] = [];
  const round = async (killAt: number): Promise<void> => {
    const folder = temporaryFolder();
    const life = await live(folder, killAt);
    if (life.wasKilled) killed.push(killAt);
    await everythingHolds(folder, life);
  };
  for (let killAt = 1; killAt <= steps; killAt += 2) await Promise.all([round(killAt), round(killAt + 1)]);
  // Steps run side by side, so that their number differs a little from life to life.
  expect(killed.length).toBeGreaterThanOrEqual(steps - 4);
}, 180_000);

test("killed while it was being given, and nobody comes back: nothing is left when it is not fetched in time", async () => {
  let killed = 0;
  for (let killAt = 2; ; killAt += 4) {
    const folder = temporaryFolder();
    const life = await live(folder, killAt);
    // Given from here on: who holds the answer ends it, or its time does.
    if (!life.wasKilled || life.given !== undefined) break;
    killed++;
    const harness = await openTwoTargets(folder);
    try {
      await harness.live(claimPreparedWithinMs + minuteMs);
      const { status } = await view(harness, String(life.said.get("approved")));
      const isRunning = status === "ACTIVE";
      for (const target of harness.targets) {
        expect({ name: target.name, left: Object.keys(target.state().objects).length }).toEqual({
          name: target.name,
          left: isRunning ? 1 : 0,
        });
      }
      if (!isRunning) expect(status).toBe("APPROVED");
      // Started, with its answer lost: it ends at its time like any other.
      if (isRunning) await harness.live(5 * hourMs);
      for (const target of harness.targets) expect(target.state().objects).toEqual({});
    } finally {
      await harness.close();
    }
  }
  expect(killed).toBeGreaterThan(2);
}, 120_000);

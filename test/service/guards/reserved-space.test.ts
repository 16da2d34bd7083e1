import { expect, test } from "vitest";
import { accessChanges } from "../../../src/core/audit/access-changes.ts";
import { auditActions, type AuditAction } from "../../../src/core/audit/audit-record.ts";
import {
  DiskFull,
  StoreUnavailable,
  type Step,
  type Store,
  type Write,
} from "../../../src/service/ports/store.ts";
import { withReservedSpace } from "../../../src/service/guards/reserved-space.ts";
import { auditFixture, ids, noon, stepFixture } from "../../support/fixtures.ts";
import { openTestStore } from "../../support/test-store.ts";

/** A disk with room for `free` more steps, and a reserve of two. */
async function smallDisk(free: number) {
  const disk = { free, reserved: 2, ms: 0 };
  const plain: Store = {
    ...(await openTestStore()),
    commit: async () => {
      if (disk.free === 0) throw new DiskFull("full");
      disk.free--;
      return { ok: true };
    },
  };
  const reserve = {
    isMissing: () => disk.reserved === 0,
    release: () => {
      disk.free += disk.reserved;
      disk.reserved = 0;
    },
    keep: () => {
      if (disk.reserved > 0 || disk.free < 2) return;
      disk.free -= 2;
      disk.reserved = 2;
    },
  };
  const store = withReservedSpace(plain, reserve, () => disk.ms);
  const written = (step: Step): Promise<boolean | string> =>
    store.commit(step).then(
      () => true,
      (fault: unknown) => (fault instanceof StoreUnavailable ? false : String(fault)),
    );
  return { disk, written };
}

const recording = (...actions: readonly AuditAction[]): Step =>
  stepFixture({ audit: actions.map((action) => auditFixture({ action })) });

test("on a full disk, exactly the actions that end access use the reserve", async () => {
  for (const action of auditActions) {
    const { disk, written } = await smallDisk(0);
    const isEnding = accessChanges[action] === "ends";
    expect([action, await written(recording(action)), disk.reserved]).toEqual([
      action,
      isEnding,
      isEnding ? 0 : 2,
    ]);
  }
});

test("while the reserve is missing, only endings are written", async () => {
  const { written } = await smallDisk(0);
  expect(await written(recording("grant.revoked"))).toBe(true);
  for (const action of ["request.submitted", "approval.given", "policy.changed"] as const) {
    expect(await written(recording(action))).toBe(false);
  }
  expect(await written(recording("request.denied"))).toBe(true);
  expect(await written(recording("grant.expired"))).toBe(false);
});

test("a step that also grants access does not use the reserve", async () => {
  const { disk, written } = await smallDisk(0);
  expect(await written(recording("approval.given", "request.denied"))).toBe(false);
  expect(disk.reserved).toBe(2);
});

test("the effects of a take-back use the reserve, those of a message only the remaining space", async () => {
  const leased = { kind: "effectLeased", id: ids.effect("a"), lease: 0, until: noon } as const;
  const step = (write: Write): Step => stepFixture({ writes: [write] });
  const { disk, written } = await smallDisk(0);
  expect([await written(step(leased)), disk.reserved]).toEqual([false, 2]);
  expect([await written(step({ ...leased, ends: true })), disk.reserved]).toEqual([true, 0]);
  expect(await written(step(leased))).toBe(true);
});

test("new access is granted only once the reserve exists again, which is tried once a second", async () => {
  const { disk, written } = await smallDisk(0);
  expect(await written(recording("grant.revoked"))).toBe(true);
  expect(await written(recording("request.submitted"))).toBe(false);
  disk.free = 3;
  expect(await written(recording("request.submitted"))).toBe(false);
  disk.ms = 1_000;
  expect(await written(recording("request.submitted"))).toBe(true);
  expect(disk).toMatchObject({ free: 0, reserved: 2 });
});

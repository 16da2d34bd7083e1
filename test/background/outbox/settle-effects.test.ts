import { expect, test } from "vitest";
import { makeId } from "../../../src/core/values/ids.ts";
import { createEffectSettler } from "../../../src/background/outbox/settle-effects.ts";
import { recordOnly } from "../../../src/service/decisions/decide-and-commit.ts";
import type { CommitResult, Step } from "../../../src/service/ports/store.ts";

function settled(tail: string): Step {
  return { ...recordOnly([]), writes: [{ kind: "effectSettled", id: makeId("effect", tail), lease: 1 }] };
}

/** Keeps what it is given, save steps that write an effect whose lease is somebody else's or that break it. */
function storeWith({ lost = "", breaking = "" }) {
  const committed: string[][] = [];
  const commit = async ({ writes }: Step): Promise<CommitResult> => {
    const ids = writes.map((write) => ("id" in write ? write.id.replace("evt_", "") : ""));
    if (ids.includes(breaking)) throw new Error("the disk is gone");
    if (ids.includes(lost)) return { conflict: "version", what: `effect:${lost}` };
    committed.push(ids);
    return { ok: true };
  };
  return { committed, settle: createEffectSettler({ commit }) };
}

test("what comes back in the same turn is written in one step, what comes later in the next", async () => {
  const { committed, settle } = storeWith({});
  await Promise.all([settle(settled("a")), settle(settled("b")), settle(settled("c"))]);
  await settle(settled("d"));
  expect(committed).toEqual([["a", "b", "c"], ["d"]]);
});

test("one whose lease was lost is left to whoever has it, and its neighbours are written all the same", async () => {
  const { committed, settle } = storeWith({ lost: "b" });
  await Promise.all([settle(settled("a")), settle(settled("b")), settle(settled("c"))]);
  expect(committed).toEqual([["a"], ["c"]]);
});

test("one that the store cannot write is heard of, and its neighbours are written all the same", async () => {
  const { committed, settle } = storeWith({ breaking: "b" });
  const all = await Promise.allSettled(["a", "b", "c"].map((tail) => settle(settled(tail))));
  expect(all.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(committed).toEqual([["a"], ["c"]]);
});

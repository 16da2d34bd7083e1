import { expect, test } from "vitest";
import { makeId } from "../../../src/core/values/ids.ts";
import { createEffectSettler } from "../../../src/background/outbox/settle-effects.ts";
import { recordOnly } from "../../../src/service/decisions/decide-and-commit.ts";
import type { CommitResult, Step } from "../../../src/service/ports/store.ts";

function settledStep(tail: string): Step {
  return { ...recordOnly([]), writes: [{ kind: "effectSettled", id: makeId("effect", tail), lease: 1 }] };
}

/** Records committed steps, and fails those with an effect whose lease is lost, or that breaks the store. */
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

test("results of the same tick are written in one step, later ones in the next", async () => {
  const { committed, settle } = storeWith({});
  await Promise.all([settle(settledStep("a")), settle(settledStep("b")), settle(settledStep("c"))]);
  await settle(settledStep("d"));
  expect(committed).toEqual([["a", "b", "c"], ["d"]]);
});

test("a result whose lease was lost is dropped, and the others are written", async () => {
  const { committed, settle } = storeWith({ lost: "b" });
  await Promise.all([settle(settledStep("a")), settle(settledStep("b")), settle(settledStep("c"))]);
  expect(committed).toEqual([["a"], ["c"]]);
});

test("a result that the store cannot write rejects, and the others are written", async () => {
  const { committed, settle } = storeWith({ breaking: "b" });
  const all = await Promise.allSettled(["a", "b", "c"].map((tail) => settle(settledStep(tail))));
  expect(all.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(committed).toEqual([["a"], ["c"]]);
});

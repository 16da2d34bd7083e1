import { changedPeople, mergeChanges } from "../../core/access/identity-changes.ts";
import type { Identity } from "../../core/values/identity.ts";
import type { NewEffect } from "../ports/store.ts";
import { newEffect, type StepContext } from "./build-step.ts";

/** A change with more selectors than this is not stored: every waiting request is reviewed instead. */
const selectorsMax = 500;

/** Effects that review the waiting requests which this change of a person may affect. */
export function reviewEffects(
  before: Identity | undefined,
  after: Identity,
  context: Pick<StepContext, "now" | "runtime">,
): readonly NewEffect[] {
  const change = changedPeople(before, after);
  return change === undefined ? [] : [newEffect({ kind: "review_approvers", change, after: 0 }, context)];
}

/** The effects with all reviews joined into one, because a reload changes many people at once. */
export function withReviewsJoined(
  effects: readonly NewEffect[],
  context: Pick<StepContext, "now" | "runtime">,
): readonly NewEffect[] {
  const changes = effects.flatMap(({ effect }) =>
    effect.kind === "review_approvers" ? [effect.change] : [],
  );
  if (changes.length < 2) return effects;
  const joined = mergeChanges(changes.filter((one) => one !== null));
  const isSmall = joined.selectors.length <= selectorsMax && joined.people.length <= selectorsMax;
  const review = { kind: "review_approvers", change: isSmall ? joined : null, after: 0 } as const;
  return [...effects.filter(({ effect }) => effect.kind !== review.kind), newEffect(review, context)];
}

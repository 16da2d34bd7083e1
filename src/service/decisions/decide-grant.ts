import type { Recorded } from "../../core/access/events.ts";
import type { Grant } from "../../core/access/grant.ts";
import type { GrantId, Instant } from "../../core/values/ids.ts";
import { isRefusal, refuse } from "../../core/values/refusals.ts";
import type { ServiceContext } from "./load-facts.ts";
import { StoreUnavailable } from "../ports/store.ts";
import { decideAndCommit } from "./decide-and-commit.ts";
import { buildStep } from "./build-step.ts";

/** What happened to this grant; when nothing, nothing is written. */
export type GrantDecision = (grant: Grant, now: Instant) => readonly Recorded[];

/**
 * Finds a grant, decides and commits what a target reports about it. The grant need not be the latest of its request.
 * True when anything was written.
 *
 * @throws StoreUnavailable when it could not be written.
 */
export async function decideGrant(
  context: ServiceContext,
  id: GrantId,
  decision: GrantDecision,
): Promise<boolean> {
  const { store, runtime } = context;
  let isIdle = false;
  const outcome = await decideAndCommit(store, async () => {
    const found = await store.grant(id);
    const now = runtime.now();
    const happened = found === undefined ? [] : decision(found.grant, now);
    isIdle = found === undefined || happened.length === 0;
    if (found === undefined || isIdle) return refuse("not_active", "Nothing is due.");
    const { request, grant, version } = found;
    const loaded = {
      accessCase: { request, grant },
      expects: [{ kind: "grant", id: grant.id, version } as const],
    };
    const { limits } = (await context.rulebook()).book.rules;
    return { step: buildStep(loaded, happened, { now, runtime, limits, expects: [] }).step, result: true };
  });
  if (isIdle) return false;
  if (isRefusal(outcome)) throw new StoreUnavailable(outcome.detail);
  return true;
}

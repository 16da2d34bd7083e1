import type { PolicyUse, Recorded } from "../../core/access/events.ts";
import type { IdentityId, Instant } from "../../core/values/ids.ts";
import type { CounterChange, Step } from "../ports/store.ts";

/** How much one person may have open at the same time. */
export interface Limits {
  readonly pendingPerIdentity: number;
  readonly activePerIdentity: number;
}

export function useKey(use: Pick<PolicyUse, "policyId">): string {
  return `use:${use.policyId}`;
}

/** Counted per person, because break-glass access is always for oneself. */
export function breakGlassKey(personId: string): string {
  return `break-glass:${personId}`;
}

/** The policy and break-glass uses that an event counts. */
export function usesOf(one: Recorded, at: Instant): readonly CounterChange[] {
  const { event } = one;
  switch (event.type) {
    case "RequestAutoApproved":
    case "RequestApproved":
      return event.uses.map((use) => ({
        key: useKey(use),
        add: 1,
        max: use.max,
        at,
        ...(use.periodMs !== undefined && { windowMs: use.periodMs }),
      }));
    case "BreakGlassUsed":
      return [
        { key: breakGlassKey(event.by.id), add: 1, max: event.limit.max, windowMs: event.limit.perMs, at },
      ];
    default:
      return [];
  }
}

/** Counts up or down when a record starts or stops counting. */
export function gauge(
  key: string,
  before: boolean,
  after: boolean,
  max: number,
  at: Instant,
): readonly CounterChange[] {
  if (before === after) return [];
  return [after ? { key, add: 1, max, at } : { key, add: -1, at }];
}

/**
 * The step, refused unless one more grant fits: an auto-approved request is claimed at once, so the limit applies now.
 */
export function activeRoom(step: Step, subjectId: IdentityId, limits: Limits, at: Instant): Step {
  const room: CounterChange = { key: `active:${subjectId}`, add: 0, max: limits.activePerIdentity - 1, at };
  return { ...step, counters: [...step.counters, room] };
}

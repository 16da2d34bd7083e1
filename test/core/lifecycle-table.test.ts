import { describe, expect, test } from "vitest";
import type { Case } from "../../src/core/case.ts";
import { isRefusal } from "../../src/core/refusals.ts";
import { dayMs, hourMs, plus } from "../../src/core/time.ts";
import { approvalPolicy, mondayNoon, stageBy } from "./support/policies.ts";
import {
  after,
  breakGlass,
  decide,
  outcomeOf,
  play,
  submitted,
  world,
  type Command,
} from "./support/world.ts";

const house = world(approvalPolicy("dba", { windowMs: dayMs, stages: [stageBy("group:dba")] }));
const start = mondayNoon;
const at = (ms: number) => plus(start, ms);

const pending = submitted(house);
const approved = play(house, pending, [[{ do: "approve", by: "ann" }]]);
const active = play(house, approved, [[{ do: "claim", by: "dev" }]]);
const broken = (() => {
  const decision = breakGlass(house);
  if (isRefusal(decision)) throw new Error(decision.detail);
  return after(undefined, decision);
})();
const brokenActive = play(house, broken, [[{ do: "claim", by: "dev" }]]);

/** Every state a case can be in, with the moment it is looked at. */
const states = {
  pending: [pending, at(hourMs)],
  "pending, window passed": [pending, at(dayMs)],
  approved: [approved, at(hourMs)],
  "approved, claim window passed": [approved, at(8 * hourMs)],
  active: [active, at(hourMs)],
  "active, time over": [active, at(4 * hourMs)],
  expired: [play(house, active, [[{ do: "tick" }, at(4 * hourMs)]]), at(5 * hourMs)],
  completed: [play(house, active, [[{ do: "complete", by: "dev" }]]), at(hourMs)],
  revoked: [play(house, active, [[{ do: "revoke", by: "ann" }]]), at(hourMs)],
  "revoked before start": [play(house, approved, [[{ do: "revoke", by: "ann" }]]), at(hourMs)],
  denied: [play(house, pending, [[{ do: "deny", by: "ann" }]]), at(hourMs)],
  cancelled: [play(house, pending, [[{ do: "cancel", by: "dev" }]]), at(hourMs)],
  "timed out undecided": [play(house, pending, [[{ do: "tick" }, at(dayMs)]]), at(dayMs)],
  "timed out unclaimed": [play(house, approved, [[{ do: "tick" }, at(8 * hourMs)]]), at(9 * hourMs)],
  "break-glass taken": [broken, at(0)],
  "break-glass active": [brokenActive, at(60_000)],
  "break-glass over": [brokenActive, at(2 * hourMs)],
} satisfies Record<string, readonly [Case, ReturnType<typeof at>]>;

const commands = {
  approve: { do: "approve", by: "ann" },
  deny: { do: "deny", by: "ann" },
  cancel: { do: "cancel", by: "dev" },
  claim: { do: "claim", by: "dev" },
  rotate: { do: "rotate", by: "dev" },
  complete: { do: "complete", by: "dev" },
  revoke: { do: "revoke", by: "ann" },
  review: { do: "review", by: "sec", outcome: "unjustified" },
  endAll: { do: "endAll" },
  tick: { do: "tick" },
} satisfies Record<string, Command>;

type State = keyof typeof states;
type CommandName = keyof typeof commands;

/** One row per state, one cell per command: a forgotten cell does not compile. */
const table: Record<State, Record<CommandName, string>> = {
  pending: {
    approve: "ApprovalGiven RequestApproved",
    deny: "ApprovalDenied RequestDenied",
    cancel: "RequestCancelled",
    claim: "not_claimable",
    rotate: "not_active",
    complete: "not_active",
    revoke: "not_active",
    review: "not_a_reviewer",
    endAll: "RequestCancelled",
    tick: "nothing",
  },
  "pending, window passed": {
    approve: "approval_window_passed",
    deny: "approval_window_passed",
    cancel: "already_decided",
    claim: "not_claimable",
    rotate: "not_active",
    complete: "not_active",
    revoke: "not_active",
    review: "not_a_reviewer",
    endAll: "already_decided",
    tick: "RequestTimedOut",
  },
  approved: {
    approve: "already_decided",
    deny: "already_decided",
    cancel: "RequestCancelled",
    claim: "RequestClaimed GrantStarted",
    rotate: "not_active",
    complete: "not_active",
    revoke: "ApprovedRequestRevoked",
    review: "not_a_reviewer",
    endAll: "RequestCancelled",
    tick: "nothing",
  },
  "approved, claim window passed": {
    approve: "already_decided",
    deny: "already_decided",
    cancel: "already_decided",
    claim: "not_claimable",
    rotate: "not_active",
    complete: "not_active",
    revoke: "not_active",
    review: "not_a_reviewer",
    endAll: "already_decided",
    tick: "RequestTimedOut",
  },
  active: {
    approve: "already_decided",
    deny: "already_decided",
    cancel: "already_claimed",
    claim: "already_claimed",
    rotate: "CredentialRotated",
    complete: "GrantCompleted",
    revoke: "GrantRevoked",
    review: "not_a_reviewer",
    endAll: "GrantRevoked",
    tick: "nothing",
  },
  "active, time over": {
    approve: "already_decided",
    deny: "already_decided",
    cancel: "already_claimed",
    claim: "already_claimed",
    rotate: "not_active",
    complete: "not_active",
    revoke: "not_active",
    review: "not_a_reviewer",
    endAll: "not_active",
    tick: "GrantExpired",
  },
  expired: ended(),
  completed: ended(),
  revoked: ended(),
  "revoked before start": unstarted("already_decided"),
  denied: unstarted("already_decided"),
  cancelled: unstarted("already_decided"),
  "timed out undecided": unstarted("approval_window_passed"),
  "timed out unclaimed": unstarted("already_decided"),
  "break-glass taken": {
    approve: "not_an_approver",
    deny: "not_an_approver",
    cancel: "RequestCancelled",
    claim: "RequestClaimed GrantStarted",
    rotate: "not_active",
    complete: "not_active",
    revoke: "ApprovedRequestRevoked",
    review: "BreakGlassReviewed ApprovedRequestRevoked",
    endAll: "RequestCancelled",
    tick: "nothing",
  },
  "break-glass active": {
    approve: "not_an_approver",
    deny: "not_an_approver",
    cancel: "already_claimed",
    claim: "already_claimed",
    rotate: "CredentialRotated",
    complete: "GrantCompleted",
    revoke: "GrantRevoked",
    review: "BreakGlassReviewed GrantRevoked",
    endAll: "GrantRevoked",
    tick: "nothing",
  },
  "break-glass over": {
    approve: "not_an_approver",
    deny: "not_an_approver",
    cancel: "already_claimed",
    claim: "already_claimed",
    rotate: "not_active",
    complete: "not_active",
    revoke: "not_active",
    review: "BreakGlassReviewed",
    endAll: "not_active",
    tick: "GrantExpired",
  },
};

function ended(): Record<CommandName, string> {
  return {
    ...unstarted("already_decided"),
    cancel: "already_claimed",
    claim: "already_claimed",
  };
}

function unstarted(decided: string): Record<CommandName, string> {
  return {
    approve: decided,
    deny: decided,
    cancel: "already_decided",
    claim: "not_claimable",
    rotate: "not_active",
    complete: "not_active",
    revoke: "not_active",
    review: "not_a_reviewer",
    endAll: "not_active",
    tick: "nothing",
  };
}

describe.each(Object.entries(states))("%s", (state, [kase, now]) => {
  test.each(Object.entries(commands))("%s", (name, command) => {
    expect(outcomeOf(decide(house, kase, command, now))).toBe(Reflect.get(Reflect.get(table, state), name));
  });

  test("strangers are refused by who they are, before they learn what state it is in", () => {
    expect(outcomeOf(decide(house, kase, { do: "approve", by: "cto" }, now))).toBe("not_an_approver");
    expect(outcomeOf(decide(house, kase, { do: "deny", by: "cto" }, now))).toBe("not_an_approver");
    for (const verb of ["cancel", "claim", "rotate", "complete"] as const) {
      expect(outcomeOf(decide(house, kase, { do: verb, by: "cto" }, now))).toBe("not_requester");
    }
  });

  test("the subject never decides", () => {
    expect(outcomeOf(decide(house, kase, { do: "approve", by: "dev" }, now))).toBe("self_approval");
    expect(outcomeOf(decide(house, kase, { do: "review", by: "dev", outcome: "justified" }, now))).toBe(
      "not_a_reviewer",
    );
  });
});

import { describe, expect, test } from "vitest";
import { commands, testWorld, states } from "./support/lifecycle-states.ts";
import { decide, outcomeOf } from "./support/decision-setup.ts";

type State = keyof typeof states;
type CommandName = keyof typeof commands;

type Report = "attempted" | "provisioned" | "failedThere" | "cleared" | "overdue" | "drifted";

/** What targets say of a case that has none, or that is settled. */
const unheard: Record<Report, string> = {
  attempted: "nothing",
  provisioned: "nothing",
  failedThere: "nothing",
  cleared: "nothing",
  overdue: "nothing",
  drifted: "nothing",
};

const gone = "GrantAbandoned";

/** One row per state, one cell per command: a forgotten cell does not compile. */
const table: Record<State, Record<CommandName, string>> = {
  pending: {
    ...unheard,
    prepare: "not_claimable",
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
    ...unheard,
    prepare: "not_claimable",
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
    ...unheard,
    prepare: "RequestPreparing GrantPrepared",
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
    ...unheard,
    prepare: "not_claimable",
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
    ...unheard,
    prepare: "already_claimed",
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
    ...unheard,
    prepare: "already_claimed",
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
  preparing: {
    ...startedPreparing(),
    attempted: "TargetAttempted",
    provisioned: "TargetProvisioned",
    claim: "not_claimable",
    tick: "nothing",
  },
  "preparing, targets late": {
    ...startedPreparing(),
    attempted: "TargetAttempted",
    provisioned: "TargetProvisioned",
    claim: "not_claimable",
    tick: `RequestFailed TargetFailed ${gone}`,
  },
  prepared: { ...startedPreparing(), claim: "RequestClaimed GrantStarted", tick: "nothing" },
  "prepared, nobody fetched it": { ...startedPreparing(), claim: "not_claimable", tick: gone },
  "prepared, claim window passed": {
    ...unstarted("already_decided"),
    ...unheard,
    failedThere: `RequestFailed TargetFailed ${gone}`,
    drifted: "TargetDrifted",
    tick: `RequestTimedOut ${gone}`,
    endAll: "already_decided",
  },
  abandoned: {
    ...startedPreparing(),
    cancel: "RequestCancelled",
    revoke: "ApprovedRequestRevoked",
    endAll: "RequestCancelled",
    prepare: "RequestPreparing GrantPrepared",
    claim: "RequestClaimed GrantStarted",
    failedThere: "nothing",
    drifted: "nothing",
    cleared: "TargetRevoked",
    overdue: "TargetRevokeOverdue",
    tick: "nothing",
  },
  failed: { ...unstarted("already_decided"), cleared: "TargetRevoked" },
  "active at targets": {
    ...unheard,
    approve: "already_decided",
    deny: "already_decided",
    cancel: "already_claimed",
    claim: "already_claimed",
    prepare: "already_claimed",
    rotate: "CredentialRotated",
    complete: "GrantCompleted",
    revoke: "GrantRevoked",
    review: "not_a_reviewer",
    endAll: "GrantRevoked",
    tick: "nothing",
    drifted: "TargetDrifted",
  },
  "active at targets, time over": {
    ...unheard,
    approve: "already_decided",
    deny: "already_decided",
    cancel: "already_claimed",
    claim: "already_claimed",
    prepare: "already_claimed",
    rotate: "not_active",
    complete: "not_active",
    revoke: "not_active",
    review: "not_a_reviewer",
    endAll: "not_active",
    tick: "GrantExpired",
    drifted: "TargetDrifted",
  },
  "completed at targets": { ...ended(), cleared: "TargetRevoked" },
  "completed at targets, overdue": { ...ended(), cleared: "TargetRevoked", overdue: "TargetRevokeOverdue" },
  "completed and settled": ended(),
  "break-glass taken": {
    ...unheard,
    prepare: "RequestPreparing GrantPrepared",
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
    ...unheard,
    prepare: "already_claimed",
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
    ...unheard,
    prepare: "already_claimed",
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
    prepare: "already_claimed",
  };
}

/** Approved, with a grant that is not started: whatever ends the one ends the other. */
function startedPreparing(): Record<CommandName, string> {
  return {
    ...unstarted("already_decided"),
    cancel: `RequestCancelled ${gone}`,
    revoke: `ApprovedRequestRevoked ${gone}`,
    endAll: `RequestCancelled ${gone}`,
    prepare: "nothing",
    failedThere: `RequestFailed TargetFailed ${gone}`,
    drifted: "TargetDrifted",
  };
}

function unstarted(decided: string): Record<CommandName, string> {
  return {
    ...unheard,
    prepare: "not_claimable",
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

describe.each(Object.entries(states))("%s", (state, [accessCase, now]) => {
  test.each(Object.entries(commands))("%s", (name, command) => {
    expect(outcomeOf(decide(testWorld, accessCase, command, now))).toBe(
      Reflect.get(Reflect.get(table, state), name),
    );
  });

  test("strangers are refused by who they are, before they learn what state it is in", () => {
    expect(outcomeOf(decide(testWorld, accessCase, { do: "approve", by: "cto" }, now))).toBe(
      "not_an_approver",
    );
    expect(outcomeOf(decide(testWorld, accessCase, { do: "deny", by: "cto" }, now))).toBe("not_an_approver");
    for (const verb of ["cancel", "claim", "prepare", "rotate", "complete"] as const) {
      expect(outcomeOf(decide(testWorld, accessCase, { do: verb, by: "cto" }, now))).toBe("not_requester");
    }
  });

  test("the subject never decides", () => {
    expect(outcomeOf(decide(testWorld, accessCase, { do: "approve", by: "dev" }, now))).toBe("self_approval");
    expect(
      outcomeOf(decide(testWorld, accessCase, { do: "review", by: "dev", outcome: "justified" }, now)),
    ).toBe("not_a_reviewer");
  });
});

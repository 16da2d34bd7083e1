import { describe, expect, test } from "vitest";
import { commands, testWorld, states } from "./support/lifecycle-states.ts";
import { decide, outcomeOf } from "./support/decision-setup.ts";

type State = keyof typeof states;
type CommandName = keyof typeof commands;

type Report = "attempted" | "provisioned" | "failedThere" | "cleared" | "overdue" | "drifted";

/** Reports of targets change nothing for a case without targets, or with settled ones. */
const ignoredReports: Record<Report, string> = {
  attempted: "nothing",
  provisioned: "nothing",
  failedThere: "nothing",
  cleared: "nothing",
  overdue: "nothing",
  drifted: "nothing",
};

const abandonment = "GrantAbandoned";

/** One row per state and one cell per command; a missing cell is a type error. */
const table: Record<State, Record<CommandName, string>> = {
  pending: {
    ...ignoredReports,
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
    ...ignoredReports,
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
    ...ignoredReports,
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
    ...ignoredReports,
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
    ...ignoredReports,
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
    ...ignoredReports,
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
  expired: afterAccessEnded(),
  completed: afterAccessEnded(),
  revoked: afterAccessEnded(),
  "revoked before start": afterRequestEnded("already_decided"),
  denied: afterRequestEnded("already_decided"),
  cancelled: afterRequestEnded("already_decided"),
  "timed out undecided": afterRequestEnded("approval_window_passed"),
  "timed out unclaimed": afterRequestEnded("already_decided"),
  preparing: {
    ...whilePreparing(),
    attempted: "TargetAttempted",
    provisioned: "TargetProvisioned",
    claim: "not_claimable",
    tick: "nothing",
  },
  "preparing, targets late": {
    ...whilePreparing(),
    attempted: "TargetAttempted",
    provisioned: "TargetProvisioned",
    claim: "not_claimable",
    tick: `RequestFailed TargetFailed ${abandonment}`,
  },
  prepared: { ...whilePreparing(), claim: "RequestClaimed GrantStarted", tick: "nothing" },
  "prepared, nobody fetched it": { ...whilePreparing(), claim: "not_claimable", tick: abandonment },
  "prepared, claim window passed": {
    ...afterRequestEnded("already_decided"),
    ...ignoredReports,
    failedThere: `RequestFailed TargetFailed ${abandonment}`,
    drifted: "TargetDrifted",
    tick: `RequestTimedOut ${abandonment}`,
    endAll: "already_decided",
  },
  abandoned: {
    ...whilePreparing(),
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
  failed: { ...afterRequestEnded("already_decided"), cleared: "TargetRevoked" },
  "active at targets": {
    ...ignoredReports,
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
    ...ignoredReports,
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
  "completed at targets": { ...afterAccessEnded(), cleared: "TargetRevoked" },
  "completed at targets, overdue": {
    ...afterAccessEnded(),
    cleared: "TargetRevoked",
    overdue: "TargetRevokeOverdue",
  },
  "completed and settled": afterAccessEnded(),
  "break-glass taken": {
    ...ignoredReports,
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
    ...ignoredReports,
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
    ...ignoredReports,
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

function afterAccessEnded(): Record<CommandName, string> {
  return {
    ...afterRequestEnded("already_decided"),
    cancel: "already_claimed",
    claim: "already_claimed",
    prepare: "already_claimed",
  };
}

/** Approved, with a grant that has not started: what ends one ends the other. */
function whilePreparing(): Record<CommandName, string> {
  return {
    ...afterRequestEnded("already_decided"),
    cancel: `RequestCancelled ${abandonment}`,
    revoke: `ApprovedRequestRevoked ${abandonment}`,
    endAll: `RequestCancelled ${abandonment}`,
    prepare: "nothing",
    failedThere: `RequestFailed TargetFailed ${abandonment}`,
    drifted: "TargetDrifted",
  };
}

function afterRequestEnded(decided: string): Record<CommandName, string> {
  return {
    ...ignoredReports,
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

  test("people without a right are refused before they learn the request's state", () => {
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

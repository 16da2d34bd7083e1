import { assert, assertNever } from "../values/assert.ts";
import type { GrantEvent, TargetEvent } from "./events.ts";
import { hasStarted, type Grant, type StartedGrant } from "./grant.ts";
import type { Instant } from "../values/ids.ts";
import { isSettled, markForTakeBack, type Target } from "./target.ts";

/**
 * Applies an event to a grant. An event that does not fit is a bug and throws, so that a final grant stays final.
 */
export function evolveGrant(grant: Grant | undefined, event: GrantEvent): Grant {
  if (event.type === "GrantPrepared") {
    assert(grant === undefined, "GrantPrepared requires no earlier grant");
    return event.grant;
  }
  if (event.type === "GrantStarted") {
    assert(
      grant === undefined || grant.phase === "PREPARING",
      "GrantStarted requires PREPARING or no earlier grant",
    );
    return event.grant;
  }
  assert(grant !== undefined, `${event.type} requires a grant`);
  switch (event.type) {
    case "GrantAbandoned":
      assert(grant.phase === "PREPARING", "GrantAbandoned requires PREPARING");
      return { ...grant, phase: "ABANDONED", ...endFields(grant, event.at, event.at, event.reason) };
    case "TargetAttempted":
    case "TargetProvisioned":
    case "TargetFailed":
    case "TargetTroubled":
    case "TargetRevokeOverdue":
    case "TargetRevoked":
    case "TargetAbandoned":
    case "TargetMoved":
    case "TargetDrifted":
      return evolveTargetOf(grant, event);
    case "CredentialRotated":
    case "GrantExtended":
    case "GrantExpired":
    case "GrantCompleted":
    case "GrantRevoked":
      assert(hasStarted(grant) && grant.phase === "ACTIVE", `${event.type} requires ACTIVE`);
      return evolveActive(grant, event);
    default:
      return assertNever(event);
  }
}

type ActiveEvent = Extract<
  GrantEvent,
  { type: "CredentialRotated" | "GrantExtended" | "GrantExpired" | "GrantCompleted" | "GrantRevoked" }
>;

function evolveActive(grant: StartedGrant, event: ActiveEvent): StartedGrant {
  switch (event.type) {
    case "CredentialRotated":
      return { ...grant, credential: event.credential };
    case "GrantExtended":
      assert(event.expiresAt > grant.expiresAt, "GrantExtended requires a later end");
      return {
        ...grant,
        expiresAt: event.expiresAt,
        targets: grant.targets.map((target) => extendTarget(target, event.expiresAt, event.at)),
      };
    case "GrantExpired":
      assert(event.at >= grant.expiresAt, "GrantExpired requires a passed end");
      return {
        ...grant,
        phase: "EXPIRED",
        ...endFields(grant, grant.expiresAt, event.at, "expired"),
      };
    case "GrantCompleted":
      return {
        ...grant,
        phase: "COMPLETED",
        ...endFields(grant, event.at, event.at, event.note),
        endedBy: event.by,
      };
    case "GrantRevoked":
      return {
        ...grant,
        phase: "REVOKED",
        ...endFields(grant, event.at, event.at, event.reason),
        endedBy: event.by,
      };
    default:
      return assertNever(event);
  }
}

/**
 * @param noticedAt when the end was noticed, from which targets count as overdue; after an outage later than the end.
 */
function endFields(grant: Grant, endedAt: Instant, noticedAt: Instant, endReason: string | null) {
  return { endedAt, endReason, targets: markForTakeBack(grant.targets, noticedAt) };
}

/** Sets a later end. The object keeps its old end until the target has confirmed the new one. */
function extendTarget(target: Target, notAfter: Instant, now: Instant): Target {
  return { ...target, spec: { ...target.spec, notAfter }, state: "PROVISIONING", since: now };
}

function evolveTargetOf(grant: Grant, event: TargetEvent): Grant {
  const target = grant.targets.find(({ spec }) => spec.connector === event.connector);
  assert(target !== undefined && !isSettled(target), `${event.type} requires a target that is not settled`);
  const changed = evolveTarget(target, event);
  return { ...grant, targets: grant.targets.map((other) => (other === target ? changed : other)) };
}

function evolveTarget(target: Target, event: TargetEvent): Target {
  const { state } = target;
  switch (event.type) {
    case "TargetAttempted":
      assert(state === "PENDING", "TargetAttempted requires PENDING");
      return { ...target, state: "PROVISIONING" };
    case "TargetProvisioned":
      assert(
        state === "PENDING" || state === "PROVISIONING",
        "TargetProvisioned requires PENDING or PROVISIONING",
      );
      return {
        ...withoutProblem(target),
        state: "PROVISIONED",
        since: event.at,
        ...(event.identity !== undefined && { identity: event.identity }),
      };
    case "TargetFailed":
      assert(
        state !== "REVOKING" && state !== "REVOKE_OVERDUE",
        "TargetFailed requires an unfinished provision",
      );
      return { ...target, state: "FAILED", since: event.at };
    case "TargetRevokeOverdue":
      assert(state === "REVOKING" || state === "FAILED", "TargetRevokeOverdue requires REVOKING or FAILED");
      return { ...target, state: "REVOKE_OVERDUE" };
    case "TargetRevoked":
      assert(isBeingRevoked(state), "TargetRevoked requires REVOKING, REVOKE_OVERDUE or FAILED");
      return {
        ...withoutProblem(target),
        state: state === "FAILED" ? "FAILED" : "REVOKED",
        clearedAt: event.at,
      };
    case "TargetAbandoned":
      assert(isBeingRevoked(state), "TargetAbandoned requires REVOKING, REVOKE_OVERDUE or FAILED");
      return { ...target, state: "ABANDONED", since: event.at };
    case "TargetTroubled":
      return { ...target, problem: event.problem };
    case "TargetMoved":
      return { ...target, spec: { ...target.spec, place: event.place } };
    case "TargetDrifted":
      return { ...target, drift: event.drift };
    default:
      return assertNever(event);
  }
}

function withoutProblem(target: Target): Target {
  const { problem: _, ...rest } = target;
  return rest;
}

function isBeingRevoked(state: Target["state"]): boolean {
  return state === "REVOKING" || state === "REVOKE_OVERDUE" || state === "FAILED";
}

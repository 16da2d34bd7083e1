import { assert, assertNever } from "../values/assert.ts";
import type { GrantEvent, TargetEvent } from "./events.ts";
import { hasStarted, type Grant, type StartedGrant } from "./grant.ts";
import type { Instant } from "../values/ids.ts";
import { isSettled, takenBack, type Target } from "./target.ts";

/** The state after `event`; an event that does not fit is a bug and throws, for terminal is terminal. */
export function evolveGrant(grant: Grant | undefined, event: GrantEvent): Grant {
  if (event.type === "GrantPrepared") {
    assert(grant === undefined, "a grant is prepared once");
    return event.grant;
  }
  if (event.type === "GrantStarted") {
    assert(grant === undefined || grant.phase === "PREPARING", "a grant starts once");
    return event.grant;
  }
  assert(grant !== undefined, `${event.type} needs a grant`);
  switch (event.type) {
    case "GrantAbandoned":
      assert(grant.phase === "PREPARING", "only what has not started is abandoned");
      return { ...grant, phase: "ABANDONED", ...ended(grant, event.at, event.at, event.reason) };
    case "TargetAttempted":
    case "TargetProvisioned":
    case "TargetFailed":
    case "TargetTroubled":
    case "TargetRevokeOverdue":
    case "TargetRevoked":
    case "TargetAbandoned":
    case "TargetMoved":
    case "TargetDrifted":
      return withTarget(grant, event);
    case "CredentialRotated":
    case "GrantExtended":
    case "GrantExpired":
    case "GrantCompleted":
    case "GrantRevoked":
      assert(hasStarted(grant) && grant.phase === "ACTIVE", `${event.type} needs an active grant`);
      return whileActive(grant, event);
    default:
      return assertNever(event);
  }
}

type ActiveEvent = Extract<
  GrantEvent,
  { type: "CredentialRotated" | "GrantExtended" | "GrantExpired" | "GrantCompleted" | "GrantRevoked" }
>;

function whileActive(grant: StartedGrant, event: ActiveEvent): StartedGrant {
  switch (event.type) {
    case "CredentialRotated":
      return { ...grant, credential: event.credential };
    case "GrantExtended":
      assert(event.expiresAt > grant.expiresAt, "an extension moves the end later");
      return {
        ...grant,
        expiresAt: event.expiresAt,
        targets: grant.targets.map((target) => prolonged(target, event.expiresAt, event.at)),
      };
    case "GrantExpired":
      assert(event.at >= grant.expiresAt, "a grant expires at its end, not before");
      return {
        ...grant,
        phase: "EXPIRED",
        ...ended(grant, grant.expiresAt, event.at, "its time was over"),
      };
    case "GrantCompleted":
      return {
        ...grant,
        phase: "COMPLETED",
        ...ended(grant, event.at, event.at, event.note),
        endedBy: event.by,
      };
    case "GrantRevoked":
      return {
        ...grant,
        phase: "REVOKED",
        ...ended(grant, event.at, event.at, event.reason),
        endedBy: event.by,
      };
    default:
      return assertNever(event);
  }
}

/** @param noticedAt From when on the targets are asked for; after an outage later than the end. */
function ended(grant: Grant, endedAt: Instant, noticedAt: Instant, endReason: string | null) {
  return { endedAt, endReason, targets: takenBack(grant.targets, noticedAt) };
}

/** The object stays as it is until it was told its later end. */
function prolonged(target: Target, notAfter: Instant, now: Instant): Target {
  return { ...target, spec: { ...target.spec, notAfter }, state: "PROVISIONING", since: now };
}

function withTarget(grant: Grant, event: TargetEvent): Grant {
  const target = grant.targets.find((one) => one.spec.connector === event.connector);
  assert(target !== undefined && !isSettled(target), `${event.type} needs a target that is not settled`);
  const changed = evolvedTarget(target, event);
  return { ...grant, targets: grant.targets.map((one) => (one === target ? changed : one)) };
}

function evolvedTarget(target: Target, event: TargetEvent): Target {
  const { state } = target;
  switch (event.type) {
    case "TargetAttempted":
      assert(state === "PENDING", "a first attempt comes first");
      return { ...target, state: "PROVISIONING" };
    case "TargetProvisioned":
      assert(state === "PENDING" || state === "PROVISIONING", "what is provisioned was to be");
      return {
        ...withoutProblem(target),
        state: "PROVISIONED",
        since: event.at,
        ...(event.identity !== undefined && { identity: event.identity }),
      };
    case "TargetFailed":
      assert(state !== "REVOKING" && state !== "REVOKE_OVERDUE", "what failed was not over");
      return { ...target, state: "FAILED", since: event.at };
    case "TargetRevokeOverdue":
      assert(state === "REVOKING" || state === "FAILED", "what is overdue was to be taken back");
      return { ...target, state: "REVOKE_OVERDUE" };
    case "TargetRevoked":
      assert(isOver(state), "what is taken back was to be");
      return {
        ...withoutProblem(target),
        state: state === "FAILED" ? "FAILED" : "REVOKED",
        clearedAt: event.at,
      };
    case "TargetAbandoned":
      assert(isOver(state), "what is given up was to be taken back");
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

function isOver(state: Target["state"]): boolean {
  return state === "REVOKING" || state === "REVOKE_OVERDUE" || state === "FAILED";
}

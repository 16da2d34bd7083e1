import { assert, assertNever } from "./assert.ts";
import type { GrantEvent } from "./events.ts";
import type { Grant } from "./grant.ts";

/** The state after `event`; an event that does not fit is a bug and throws, for terminal is terminal. */
export function evolveGrant(grant: Grant | undefined, event: GrantEvent): Grant {
  if (event.type === "GrantStarted") {
    assert(grant === undefined, "a grant starts once");
    return event.grant;
  }
  assert(grant !== undefined && grant.phase === "ACTIVE", `${event.type} needs an active grant`);
  switch (event.type) {
    case "CredentialRotated":
      return { ...grant, credential: event.credential };
    case "GrantExtended":
      assert(event.expiresAt > grant.expiresAt, "an extension moves the end later");
      return { ...grant, expiresAt: event.expiresAt };
    case "GrantExpired":
      assert(event.at >= grant.expiresAt, "a grant expires at its end, not before");
      return { ...grant, phase: "EXPIRED", endedAt: grant.expiresAt, endReason: "its time was over" };
    case "GrantCompleted":
      return { ...grant, phase: "COMPLETED", endedAt: event.at, endReason: event.note };
    case "GrantRevoked":
      return { ...grant, phase: "REVOKED", endedAt: event.at, endReason: event.reason };
    default:
      return assertNever(event);
  }
}

import { assertPresent } from "../../core/values/assert.ts";
import type { AccessRequest } from "../../core/access/access-request.ts";
import type { Grant } from "../../core/access/grant.ts";
import type { Expectation, Step, Write } from "../../service/ports/store.ts";

/** The version in which a step expects a record. Undefined: the step does not depend on the record. */
export function versionExpected(step: Step, kind: Expectation["kind"], id: string): number | undefined {
  for (const one of step.expects) if (one.kind === kind && one.id === id) return one.version;
  return undefined;
}

/** The version that a record has after the step has written it. */
export function versionAfter(step: Step, kind: Expectation["kind"], id: string): number {
  return assertPresent(versionExpected(step, kind, id), "the version of a written record") + 1;
}

export function requestWritten(step: Step, id: string): AccessRequest | undefined {
  for (const write of step.writes) if (write.kind === "request" && write.value.id === id) return write.value;
  return undefined;
}

export function grantWritten(step: Step, id: string | null): Grant | undefined {
  for (const write of step.writes) if (write.kind === "grant" && write.value.id === id) return write.value;
  return undefined;
}

/** The versioned record that a write changes, if any. */
export function recordOf(write: Write): Pick<Expectation, "kind" | "id"> | undefined {
  switch (write.kind) {
    case "request":
    case "grant":
    case "identity":
    case "key":
      return { kind: write.kind, id: write.value.id };
    case "policy":
    case "policyDeleted":
    case "rules":
    case "lockdown":
      return { kind: "rulebook", id: "rulebook" };
    case "credentialFirstUsed":
    case "effectLeased":
    case "effectSettled":
    case "effectReleased":
    case "leasesEnded":
    case "cursor":
    case "cursorDropped":
    case "deliveryAdded":
    case "deliveryUpdated":
    case "address":
    case "addressGone":
    case "clockMark":
    case "clockLowered":
      return undefined;
  }
}

import { instant } from "../../../src/core/values/ids.ts";
import { pendingTarget } from "../../../src/core/access/target.ts";
import type { ObjectIdentity, TargetSpec } from "../../../src/service/ports/connector.ts";
import type { HeldObject } from "../../../src/service/targets/verify-same-target.ts";

/** Access that lives, with this object at its target. */
export function heldObject(spec: TargetSpec, identity?: ObjectIdentity): HeldObject {
  const { grantId: id, requestId, subjectId, scopes, notAfter } = spec;
  const target = {
    ...pendingTarget(spec, instant(0)),
    state: "PROVISIONED" as const,
    ...(identity !== undefined && { identity }),
  };
  const grant = {
    id,
    requestId,
    subjectId,
    scopes,
    breakGlass: false,
    endedAt: null,
    endReason: null,
    targets: [target],
    phase: "PREPARING" as const,
    preparedAt: instant(0),
    provisionBy: notAfter,
    claimBy: notAfter,
  };
  return { grant, target };
}

import type { AccessRequest } from "./access-request.ts";
import { formatSelector } from "../values/identity.ts";

/** SHA-256 of a text, lower-case hex; handed in, since the core has no cryptography. */
export type Digest = (text: string) => string;

/**
 * Names the terms that people decide on: subject, scopes, duration, reason, ticket, requirement; not the votes. A press
 * that carries an older one is refused, so nobody approves what they have not seen.
 */
export function revisionOf(
  terms: Pick<AccessRequest, "subjectId" | "scopes" | "durationMs" | "reason" | "ticket" | "requirement">,
  digest: Digest,
): string {
  const demands = terms.requirement.demands.map((demand) => [
    demand.policyId,
    demand.policyVersion,
    demand.scopes.toSorted(),
    demand.stages.map((stage) => [
      stage.number,
      stage.approvers.map(formatSelector),
      stage.required,
      stage.escalateTo.map((list) => list.map(formatSelector)),
      stage.via ?? null,
    ]),
  ]);
  const { subjectId, scopes, durationMs, reason, ticket } = terms;
  return digest(
    JSON.stringify([subjectId, scopes.toSorted(), durationMs, reason, ticket ?? null, demands]),
  ).slice(0, 32);
}

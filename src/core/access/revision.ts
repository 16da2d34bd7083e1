import type { AccessRequest } from "./access-request.ts";
import { formatSelector } from "../values/identity.ts";

/** SHA-256 of a text in lower-case hex; passed in, because core has no cryptography. */
export type Digest = (text: string) => string;

/**
 * Hashes the terms people decide on: subject, scopes, duration, reason, ticket and requirement, but not the votes. A
 * decision that names an older revision is refused, so nobody approves what they have not seen.
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

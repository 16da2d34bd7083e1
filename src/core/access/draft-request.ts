import type { AccessRequest, Actor } from "./access-request.ts";
import { newlyOpen } from "./approvals.ts";
import type { Assessment } from "./assessment.ts";
import type { Instant } from "../values/ids.ts";
import type { Directory, Identity } from "../values/identity.ts";
import { withApproversResolved, type Terms } from "../policy/requirement.ts";
import { revisionOf, type Digest } from "./revision.ts";
import { plus } from "../values/time.ts";

/** What a person asks for, parsed; the request stores it unchanged. */
export type RequestSpec = Pick<
  AccessRequest,
  | "id"
  | "subjectId"
  | "requestedById"
  | "reason"
  | "scopes"
  | "servedScopes"
  | "durationMs"
  | "ticket"
  | "metadata"
  | "notifyChannels"
>;

/** What a submission is decided from, besides the spec itself. */
export interface SubmissionContext {
  readonly subject: Identity;
  readonly assessment: Assessment;
  readonly directory: Directory;
  readonly lockdown: boolean;
  readonly digest: Digest;
  readonly by: Actor;
  /** The subject's other open requests for the same scopes. */
  readonly siblings?: readonly AccessRequest[];
}

/** Builds a new request: pending, its first stages open, its terms frozen and hashed as its revision. */
export function draftRequest(
  spec: RequestSpec,
  facts: SubmissionContext,
  terms: Terms,
  now: Instant,
): AccessRequest {
  const { id, kind, groups, email } = facts.subject;
  const draft: AccessRequest = {
    ...spec,
    requestedAt: now,
    subjectAtSubmission: { id, kind, groups, ...(email !== undefined && { email }) },
    risk: facts.assessment.risk,
    requirement: withApproversResolved(terms.requirement, facts.directory, spec.subjectId),
    revision: "",
    openings: [],
    asked: [],
    votes: [],
    phase: "PENDING",
    approvalDeadline: plus(now, terms.requirement.windowMs),
    claimDeadline: null,
    grantedDurationMs: null,
    decidedAt: null,
    decidedBy: null,
    grantId: null,
    endedAt: null,
    endReason: null,
  };
  const { opened, asked } = newlyOpen(draft, facts.directory);
  const openings = opened.map((stage) => ({ stage, at: now, reminded: 0, level: 0 }));
  return { ...draft, openings, asked, revision: revisionOf(draft, facts.digest) };
}

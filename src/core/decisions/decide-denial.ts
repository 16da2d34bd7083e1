import { approversOf, mayDecideVia } from "../access/approvals.ts";
import { onRequest, type AccessCase, type Decision } from "../access/access-case.ts";
import type { Instant } from "../values/ids.ts";
import { refuse } from "../values/refusals.ts";
import { stagesOf } from "../policy/requirement.ts";
import { makeVote, refuseVote, type VoteFacts } from "./vote.ts";

/** Denies the request. One denial is enough, even by somebody who approved before. */
export function decideDenial(
  accessCase: AccessCase,
  reason: string,
  facts: VoteFacts,
  now: Instant,
): Decision {
  const { request } = accessCase;
  const refusal = refuseVote(request, facts, now);
  if (refusal !== undefined) return refusal;
  const ownStages = stagesOf(request.requirement).filter((stage) =>
    approversOf(request, stage, facts.directory).some((person) => person.id === facts.person.id),
  );
  const decidableStages = ownStages.filter((stage) => mayDecideVia(stage, facts.by.via));
  if (decidableStages.length === 0) {
    return refuse("not_an_approver", "This stage cannot be decided here; its policy restricts where.");
  }
  const vote = makeVote(
    "DENIED",
    request,
    facts,
    now,
    decidableStages.map((stage) => stage.number),
    { comment: reason },
  );
  return onRequest(request, [
    { type: "ApprovalDenied", at: now, by: facts.by, vote },
    { type: "RequestDenied", at: now, by: facts.by, reason },
  ]);
}

import type { Stage } from "../policy/requirement-model.ts";
import { eligible, progressOf, type Counted, type StageProgress } from "./approvals.ts";
import type { IdentityId } from "../values/ids.ts";
import type { Directory } from "../values/identity.ts";

/** A person is spent on one stage of a policy. */
type Assignments = Map<IdentityId, StageProgress>;

/**
 * The first stage that can never reach `required`, were everyone it can still ask to approve; undefined when all can.
 * Approvals that count stay where they count. Within one policy each further person is spent on one stage, so people
 * are assigned to what is missing (bipartite matching by augmenting paths, over a few people).
 */
export function unreachableStage(request: Counted, directory: Directory): Stage | undefined {
  const progress = new Map(progressOf(request, directory).map((one) => [one.stage, one]));
  for (const demand of request.requirement.demands) {
    const stages = demand.stages.flatMap((stage) => progress.get(stage) ?? []);
    const counted = new Set(stages.flatMap((one) => one.given));
    const assigned: Assignments = new Map();
    for (const one of stages) {
      for (let missing = one.stage.required - one.given.length; missing > 0; missing--) {
        if (!assignApprover(request, one, directory, counted, assigned, new Set())) return one.stage;
      }
    }
  }
  return undefined;
}

function assignApprover(
  request: Counted,
  to: StageProgress,
  directory: Directory,
  counted: ReadonlySet<IdentityId>,
  assigned: Assignments,
  tried: Set<IdentityId>,
): boolean {
  for (const person of eligible(request, selectorsReachable(to.stage), directory)) {
    if (counted.has(person.id) || tried.has(person.id) || assigned.get(person.id) === to) continue;
    tried.add(person.id);
    const other = assigned.get(person.id);
    if (other === undefined || assignApprover(request, other, directory, counted, assigned, tried)) {
      assigned.set(person.id, to);
      return true;
    }
  }
  return false;
}

/** Everyone who may ever decide the stage, escalation included if its SLA lets it come to that. */
function selectorsReachable(stage: Stage): Stage["approvers"] {
  return [...stage.approvers, ...(stage.slaMs === undefined ? [] : stage.escalateTo.flat())];
}

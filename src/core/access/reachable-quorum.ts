import type { Stage } from "../policy/requirement-model.ts";
import { eligiblePeople, progressOf, type QuorumInput, type StageProgress } from "./approvals.ts";
import type { IdentityId } from "../values/ids.ts";
import type { Directory } from "../values/identity.ts";

/** The stage each person is assigned to; within a policy a person counts once. */
type Assignments = Map<IdentityId, StageProgress>;

/**
 * First stage that could not reach `required` even if everyone it may ask approved. Counting approvals stay where
 * they are. A person counts once per policy, so this is bipartite matching (augmenting paths over a few people).
 */
export function unreachableStage(request: QuorumInput, directory: Directory): Stage | undefined {
  const progress = new Map(progressOf(request, directory).map((entry) => [entry.stage, entry]));
  for (const demand of request.requirement.demands) {
    const stages = demand.stages.flatMap((stage) => progress.get(stage) ?? []);
    const counted = new Set(stages.flatMap(({ given }) => given));
    const assigned: Assignments = new Map();
    for (const progressOfStage of stages) {
      const { stage, given } = progressOfStage;
      for (let missing = stage.required - given.length; missing > 0; missing--) {
        if (!assignApprover(request, progressOfStage, directory, counted, assigned, new Set())) return stage;
      }
    }
  }
  return undefined;
}

function assignApprover(
  request: QuorumInput,
  to: StageProgress,
  directory: Directory,
  counted: ReadonlySet<IdentityId>,
  assigned: Assignments,
  tried: Set<IdentityId>,
): boolean {
  for (const person of eligiblePeople(request, reachableSelectors(to.stage), directory)) {
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

/** Everyone who may ever decide the stage, with its escalation if it has an SLA. */
function reachableSelectors(stage: Stage): Stage["approvers"] {
  return [...stage.approvers, ...(stage.slaMs === undefined ? [] : stage.escalateTo.flat())];
}

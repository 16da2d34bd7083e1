import { needsHistory } from "../../core/policy/needs-history.ts";
import { indexPolicies, type PolicyIndex } from "../../core/policy/policy-index.ts";
import type { Rulebook } from "../../core/policy/policy.ts";
import type { Selector } from "../../core/values/identity.ts";
import type { Reads } from "../ports/store.ts";

export interface IndexedRulebook {
  readonly book: Rulebook;
  readonly index: PolicyIndex;
  /** Whether evaluating it needs the subject's history. */
  readonly needsHistory: boolean;
  /** The Slack user groups that it names. */
  readonly userGroupSelectors: readonly Selector[];
}

export type RulebookReader = () => Promise<IndexedRulebook>;

/**
 * Reads the rules in force. The index of the rules is cached while the version in the store stays the same. Decisions
 * also expect that version in their commit, so that a change in between makes them decide again.
 */
export function createRulebookReader(store: Pick<Reads, "rulebook" | "rulebookVersion">): RulebookReader {
  let known: IndexedRulebook | undefined;
  return async () => {
    if (known === undefined || known.book.version !== (await store.rulebookVersion())) {
      known = indexed(await store.rulebook());
    }
    return known;
  };
}

export function indexed(book: Rulebook): IndexedRulebook {
  return {
    book,
    index: indexPolicies(book.policies),
    needsHistory: needsHistory(book),
    userGroupSelectors: userGroupsIn(book),
  };
}

function userGroupsIn({ policies, rules }: Rulebook): readonly Selector[] {
  const { defaultPolicy, breakGlass } = rules;
  const stages = [...policies, ...(defaultPolicy === undefined ? [] : [defaultPolicy])].flatMap(
    ({ effect }) => (effect.kind === "approval" ? effect.approval.stages : []),
  );
  const named = stages.flatMap((stage) => [...stage.approvers, ...stage.escalateTo.flat()]);
  return [...named, ...breakGlass.review.by].filter((one) => one.kind === "slack-usergroup");
}

import type { SelectionReason, PolicyOutcome } from "../core/policy/governing-policy.ts";

/** Why a policy was chosen for a scope, said of it. */
export const reasonWords: { readonly [Reason in SelectionReason]: string } = {
  deny_wins: "it denies, and a denial wins over everything",
  first_in_order: "it governs, the first that holds",
  stands_in_for_spent: "it governs, in place of one that has been used as often as it allows",
  all_spent: "it would govern, and has been used as often as it allows",
  default: "it governs what no other policy does",
  nothing_holds: "no policy allows it",
};

/** How a policy stands towards a scope, said of it. */
export const outcomeWords: { readonly [How in PolicyOutcome]: string } = {
  governs: "governs",
  denies: "denies",
  spent: "holds, and has been used as often as it allows",
  does_not_hold: "does not hold",
  not_certain: "approves by itself only when all of it is certain",
  outranked: "holds, and another comes before it",
  overruled: "holds, and a denial wins over it",
  passed_over: "holds, and does not stand in for another that approves by itself",
};

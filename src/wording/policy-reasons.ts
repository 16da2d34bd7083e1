import type { SelectionReason, PolicyOutcome } from "../core/policy/governing-policy.ts";

/** Why a policy was selected for a scope. */
export const reasonWords: { readonly [Reason in SelectionReason]: string } = {
  deny_wins: "it denies, and a denial wins over everything",
  first_in_order: "it governs, the first that holds",
  stands_in_for_spent: "it governs; the policy before it has reached its usage limit",
  all_spent: "it would govern, but has reached its usage limit",
  default: "it governs what no other policy does",
  nothing_holds: "no policy allows it",
};

/** How a policy counted for a scope. */
export const outcomeWords: { readonly [How in PolicyOutcome]: string } = {
  governs: "governs",
  denies: "denies",
  spent: "holds, but has reached its usage limit",
  does_not_hold: "does not hold",
  not_certain: "auto-approves only if every condition is known to be true",
  outranked: "holds, but another comes before it",
  overruled: "holds, but a denial wins over it",
  passed_over: "holds, but does not replace another that auto-approves",
};

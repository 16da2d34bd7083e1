import type { Risk } from "../policy/requirement-model.ts";
import type { PolicyUse } from "./events.ts";
import type { PolicySelection } from "../policy/governing-policy.ts";
import type { Scope } from "../values/ids.ts";
import type { Identity } from "../values/identity.ts";
import type { Policy } from "../policy/policy.ts";
import { policyMessageTail, refuse, type Refusal } from "../values/refusals.ts";
import type { Terms } from "../policy/requirement.ts";
import { formatDuration, minuteMs } from "../values/time.ts";

/** The result of evaluation: the risk, and the policy selected for each scope. */
export interface Assessment {
  readonly risk: Risk | null;
  readonly selections: readonly { readonly scope: Scope; readonly selection: PolicySelection }[];
}

/**
 * The policy that governs each scope, or a refusal. A denial wins over an exhausted policy, because waiting would not
 * help.
 */
export function selectGoverning(
  assessment: Assessment,
): readonly { readonly scope: Scope; readonly policy: Policy }[] | Refusal {
  const governing: { readonly scope: Scope; readonly policy: Policy }[] = [];
  let exhausted: Refusal | undefined;
  for (const { scope, selection } of assessment.selections) {
    if (selection.kind === "denied") return refuseDenied(selection.policy, scope);
    if (selection.kind === "spent") {
      exhausted ??= refuse(
        "limit_reached",
        `The policy "${selection.policy.name}" has reached its usage limit for ${scope}.`,
        {
          retryAfterSeconds: (selection.policy.usagePeriodMs ?? 60 * minuteMs) / 1000,
        },
      );
    } else {
      governing.push({ scope, policy: selection.policy });
    }
  }
  return exhausted ?? governing;
}

/**
 * Checks the ticket and the duration against the terms. Checked again at the approval that would complete the
 * request.
 */
export function refuseByTerms(
  terms: Terms,
  ticket: string | undefined,
  durationMs: number,
): Refusal | undefined {
  if (terms.requireTicket && (ticket ?? "").trim() === "") {
    return refuse("ticket_required", "This access requires a ticket.");
  }
  if (durationMs > terms.maxDurationMs) {
    return refuse(
      "duration_exceeds_policy",
      `The policy for this access allows at most ${formatDuration(terms.maxDurationMs)} in all; ask for less.`,
    );
  }
  return undefined;
}

export function usesOf(governing: readonly { readonly policy: Policy }[]): readonly PolicyUse[] {
  return [...new Set(governing.map(({ policy }) => policy))].flatMap(({ id, maxUsage, usagePeriodMs }) =>
    maxUsage === undefined
      ? []
      : [{ policyId: id, max: maxUsage, ...(usagePeriodMs !== undefined && { periodMs: usagePeriodMs }) }],
  );
}

export function refuseInactive(identity: Identity): Refusal {
  return refuse("identity_inactive", `${identity.name} is not active; an administrator can change that.`);
}

export function refuseLockdown(): Refusal {
  return refuse("policy_denied", "A lockdown is on: no access is given except by break-glass.");
}

export function refuseDenied(policy: Policy | undefined, scope: Scope): Refusal {
  if (policy === undefined) {
    return refuse("policy_denied", `No policy allows ${scope}; ask an administrator for one.`);
  }
  const { name, message } = policy;
  const detail = `The policy "${name}" denies ${scope}.`;
  return message === undefined
    ? refuse("policy_denied", detail)
    : refuse("policy_denied", `${detail}${policyMessageTail(message)}`, { policyMessage: message });
}

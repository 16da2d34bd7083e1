import type { Risk } from "../policy/requirement-model.ts";
import type { PolicyUse } from "./events.ts";
import type { PolicySelection } from "../policy/governing-policy.ts";
import type { Scope } from "../values/ids.ts";
import type { Identity } from "../values/identity.ts";
import type { Policy } from "../policy/policy.ts";
import { policyMessageTail, refuse, type Refusal } from "../values/refusals.ts";
import type { Terms } from "../policy/requirement.ts";
import { formatDuration, minuteMs } from "../values/time.ts";

/** What is judged: risk and, scope by scope, the policy that governs. */
export interface Assessment {
  readonly risk: Risk | null;
  readonly selections: readonly { readonly scope: Scope; readonly selection: PolicySelection }[];
}

/** The policy that governs each scope, or why none may. A denial wins over a spent policy: it would stay denied. */
export function governing(
  assessment: Assessment,
): readonly { readonly scope: Scope; readonly policy: Policy }[] | Refusal {
  const chosen: { readonly scope: Scope; readonly policy: Policy }[] = [];
  let exhausted: Refusal | undefined;
  for (const { scope, selection } of assessment.selections) {
    if (selection.kind === "denied") return deniedBy(selection.policy, scope);
    if (selection.kind === "spent") {
      exhausted ??= refuse(
        "limit_reached",
        `The policy "${selection.policy.name}" for ${scope} has been used as often as it allows.`,
        {
          retryAfterSeconds: (selection.policy.usagePeriodMs ?? 60 * minuteMs) / 1000,
        },
      );
    } else {
      chosen.push({ scope, policy: selection.policy });
    }
  }
  return exhausted ?? chosen;
}

/** What the terms ask of the request itself. Asked again at the press that would complete it. */
export function unfitFor(terms: Terms, ticket: string | undefined, durationMs: number): Refusal | undefined {
  if (terms.requireTicket && (ticket ?? "").trim() === "") {
    return refuse("ticket_required", "The policy for this access wants a ticket; add one.");
  }
  if (durationMs > terms.maxDurationMs) {
    return refuse(
      "duration_exceeds_policy",
      `The policy for this access allows at most ${formatDuration(terms.maxDurationMs)} in all; ask for less.`,
    );
  }
  return undefined;
}

export function usesOf(chosen: readonly { readonly policy: Policy }[]): readonly PolicyUse[] {
  return [...new Set(chosen.map((one) => one.policy))].flatMap(({ id, maxUsage, usagePeriodMs }) =>
    maxUsage === undefined
      ? []
      : [{ policyId: id, max: maxUsage, ...(usagePeriodMs !== undefined && { periodMs: usagePeriodMs }) }],
  );
}

export function inactive(identity: Identity): Refusal {
  return refuse("identity_inactive", `${identity.name} is not active; an administrator can change that.`);
}

export function lockedDown(): Refusal {
  return refuse("policy_denied", "A lockdown is on: no access is given except by break-glass.");
}

export function deniedBy(policy: Policy | undefined, scope: Scope): Refusal {
  if (policy === undefined) {
    return refuse("policy_denied", `No policy allows ${scope}; ask an administrator for one.`);
  }
  const { name, message } = policy;
  const detail = `The policy "${name}" denies ${scope}.`;
  return message === undefined
    ? refuse("policy_denied", detail)
    : refuse("policy_denied", `${detail}${policyMessageTail(message)}`, { policyMessage: message });
}

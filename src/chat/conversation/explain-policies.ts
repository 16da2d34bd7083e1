import type { Explanation } from "../../core/policy/governing-policy.ts";
import { isRefusal } from "../../core/values/refusals.ts";
import type { Caller } from "../../service/ports/caller.ts";
import type { Line } from "../../wording/card-text.ts";
import { durationWords } from "../../wording/duration-words.ts";
import { reasonWords, outcomeWords } from "../../wording/policy-reasons.ts";
import { prefixOf, refusedReply } from "./reply-builders.ts";
import type { ChatContext } from "./chat-context.ts";
import { dryRun } from "./request-preview.ts";
import type { Reply } from "./reply.ts";

/** The duration of the dry run when none was typed. */
export const defaultDuration = "1h";

/** Answers the command `why`: what a request would lead to, and which policy decides it. Sends nothing. */
export async function explainPolicies(
  context: ChatContext,
  caller: Caller,
  scopes: readonly string[],
  duration: string | null,
): Promise<Reply> {
  const evaluatedDuration = duration ?? defaultDuration;
  const input = {
    identityId: caller.identity.id,
    scopes,
    duration: evaluatedDuration,
    reason: "a dry run",
    ticket: "a dry run",
  };
  const evaluation = await context.services.evaluation.evaluate(caller, input);
  if (isRefusal(evaluation)) return refusedReply(context, evaluation, null);
  const preview = await dryRun(context, caller, input);
  return {
    kind: "text",
    lines: [
      [`If you asked for ${scopes.join(", ")} for ${durationWords(evaluatedDuration)} now:`],
      ...preview.lines,
      ...evaluation.scopes.flatMap(scopeLines),
      [
        duration === null ? "Judged for one hour. " : "",
        `A reason or ticket of yours may change it. Nothing was sent; ${prefixOf(context)}request asks.`,
      ],
    ],
    buttons: preview.outcome === "refused" ? [] : ["request_access"],
  };
}

/** How many other policies are listed for one scope. */
const othersMax = 5;

function scopeLines({ scope, selection, reason, policies }: Explanation): readonly Line[] {
  const chosen = selection.policy?.name;
  const others = policies
    .filter(({ policy }) => policy.name !== chosen)
    .toSorted((a, b) => rank(a.outcome) - rank(b.outcome))
    .slice(0, othersMax);
  return [
    chosen === undefined
      ? [`${scope}: `, reasonWords[reason]]
      : [`${scope}: policy `, { quote: chosen }, `: ${reasonWords[reason]}`, ...messageOf(selection)],
    ...others.map(({ policy, outcome }): Line => ["– ", { quote: policy.name }, ` ${outcomeWords[outcome]}`]),
  ];
}

/** The message of a policy that denies the request. */
function messageOf(selection: Explanation["selection"]): Line {
  const message = selection.kind === "denied" ? selection.policy?.message : undefined;
  return message === undefined ? [] : [". Its author says: ", { quote: message }];
}

/** Policies whose conditions hold come first, because they explain more. */
function rank(outcome: Explanation["policies"][number]["outcome"]): number {
  return outcome === "does_not_hold" ? 1 : 0;
}

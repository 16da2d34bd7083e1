import type { Explanation } from "../../core/policy/governing-policy.ts";
import { isRefusal } from "../../core/values/refusals.ts";
import type { Caller } from "../../service/ports/caller.ts";
import type { Line } from "../../wording/card-text.ts";
import { durationWords } from "../../wording/duration-words.ts";
import { reasonWords, standingWords } from "../../wording/policy-reasons.ts";
import { prefixOf, refusedReply } from "./reply-builders.ts";
import type { ChatParts } from "./chat-context.ts";
import { dryRun } from "./request-preview.ts";
import type { Reply } from "./reply.ts";

/** Judged by when nobody says for how long. */
export const defaultDuration = "1h";

/** `why`: what would happen if this were asked now, and which policy says so. Nothing is sent. */
export async function explain(
  parts: ChatParts,
  caller: Caller,
  scopes: readonly string[],
  duration: string | null,
): Promise<Reply> {
  const time = duration ?? defaultDuration;
  const input = {
    identityId: caller.identity.id,
    scopes,
    duration: time,
    reason: "a dry run",
    ticket: "a dry run",
  };
  const said = await parts.services.evaluation.evaluate(caller, input);
  if (isRefusal(said)) return refusedReply(parts, said, null);
  const preview = await dryRun(parts, caller, input);
  return {
    kind: "text",
    lines: [
      [`If you asked for ${scopes.join(", ")} for ${durationWords(time)} now:`],
      ...preview.lines,
      ...said.scopes.flatMap(scopeLines),
      [
        duration === null ? "Judged for one hour. " : "",
        `A reason or ticket of yours may change it. Nothing was sent; ${prefixOf(parts)}request asks.`,
      ],
    ],
    buttons: preview.outcome === "refused" ? [] : ["request_access"],
  };
}

/** Other policies that are told of for one scope. */
const othersMax = 5;

function scopeLines({ scope, choice, reason, policies }: Explanation): readonly Line[] {
  const chosen = choice.policy?.name;
  const others = policies
    .filter(({ policy }) => policy.name !== chosen)
    .toSorted((a, b) => rank(a.standing) - rank(b.standing))
    .slice(0, othersMax);
  return [
    chosen === undefined
      ? [`${scope}: `, reasonWords[reason]]
      : [`${scope}: policy `, { quote: chosen }, `: ${reasonWords[reason]}`, ...messageOf(choice)],
    ...others.map(({ policy, standing }): Line => [
      "– ",
      { quote: policy.name },
      ` ${standingWords[standing]}`,
    ]),
  ];
}

/** What a policy that denies says to whoever asks. */
function messageOf(choice: Explanation["choice"]): Line {
  const message = choice.kind === "denied" ? choice.policy?.message : undefined;
  return message === undefined ? [] : [". Its author says: ", { quote: message }];
}

/** What holds tells more than what does not. */
function rank(standing: Explanation["policies"][number]["standing"]): number {
  return standing === "does_not_hold" ? 1 : 0;
}

import type { Card } from "../service/views/card.ts";
import { scopesText } from "./card-text.ts";
import { reachText } from "./delivery-text.ts";
import { durationWords } from "./duration-words.ts";
import { namesLine, type Line } from "./line.ts";
import type { Quotation } from "./user-text.ts";

/* Lines that several notes share. */

export function decidedByLine({ decidedBy }: Card): Line {
  return decidedBy === null ? [] : [" by ", { userText: decidedBy.name }];
}

export function endReasonQuotation({ request }: Card): readonly Quotation[] {
  return request.endReason === null ? [] : [{ label: "Why", text: request.endReason }];
}

export function reasonQuotation({ request }: Card): Quotation {
  return { label: "Reason", text: request.reason };
}

export function activeUntilLine({ request }: Card): readonly Line[] {
  return request.expiresAt === null ? [] : [["It ends ", { time: request.expiresAt }, "."]];
}

export function reviewDueLine({ request }: Card): readonly Line[] {
  const dueAt = request.review?.dueAt ?? null;
  if (dueAt === null) return [];
  return [[request.review?.isOverdue === true ? "It was due by " : "It is due by ", { time: dueAt }, "."]];
}

export function unreachedLines({ reach, request }: Card): readonly Line[] {
  if (reach === null) return [];
  const names = reach.unreachedNames;
  return [
    [`${scopesText(request.scopes)} for ${durationWords(request.duration)}`],
    [`${reachText(reach)}.`],
    ...(names.length === 0 ? [] : [["Not reached: ", ...namesLine(names), "."] satisfies Line]),
    ["If it is urgent, tell them yourself: they can also decide through the API or another chat."],
  ];
}

export function overdueTargetLines({ request }: Card): readonly Line[] {
  const overdue = (request.grant?.targets ?? []).filter((target) => target.state === "REVOKE_OVERDUE");
  return overdue.map(({ connector, problem }): Line => [
    `Still there at ${connector}${problem === null ? "" : `: ${problem}`}.`,
  ]);
}

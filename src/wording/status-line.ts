import type { Card } from "../service/views/card.ts";
import type { RequestView } from "../service/views/request-view.ts";
import { reachText, unreachedChannelLines } from "./delivery-text.ts";
import { namesLine, type Line } from "./line.ts";

/** What the reader should do, or the result. The reason for an end is quoted in full below. */
export function statusLine(card: Card): Line {
  const { request, audience, decidedBy } = card;
  const by: Line = decidedBy === null ? [] : [" by ", { userText: decidedBy.name }];
  const endedBy = endedByOf(card);
  switch (request.status) {
    case "PENDING":
      return pendingLine(card);
    case "APPROVED":
      return [
        request.breakGlass ? "Taken without approval" : "Approved",
        ...(request.breakGlass ? [] : by),
        ...(request.decidedAt === null ? [] : [" ", { time: request.decidedAt }]),
        ...(request.claimDeadline === null
          ? []
          : [
              audience === "requester" ? ". Press Show credential before " : ". To be claimed before ",
              { time: request.claimDeadline },
            ]),
      ];
    case "ACTIVE":
      return request.expiresAt === null ? ["Active"] : ["Active until ", { time: request.expiresAt }];
    case "DENIED":
    case "CANCELLED":
    case "REVOKED":
      return [endedText(request.status), ...endedBy, ...timeSpan(request.endedAt)];
    case "COMPLETED":
      return request.extends === null
        ? ["Done", ...timeSpan(request.endedAt)]
        : ["Approved", ...by, ...timeSpan(request.endedAt), ": the time was added"];
    case "TIMED_OUT":
    case "FAILED":
    case "EXPIRED":
      return [endedText(request.status), ...timeSpan(request.endedAt)];
  }
}

/** Who ended it early, if anybody did. */
export function endedByOf({ endedBy }: Card): Line {
  return endedBy === null ? [] : [" by ", { userText: endedBy.name }];
}

/** The end in a few words; for what has not ended, its status. */
export function endedText(status: RequestView["status"]): string {
  return endedTexts[status];
}

const endedTexts = {
  PENDING: "Waiting for a decision",
  APPROVED: "Approved",
  ACTIVE: "Active",
  DENIED: "Denied",
  CANCELLED: "Cancelled",
  REVOKED: "Revoked",
  TIMED_OUT: "Timed out",
  FAILED: "It could not be given",
  EXPIRED: "Expired",
  COMPLETED: "Done",
} as const satisfies { readonly [Status in RequestView["status"]]: string };

function timeSpan(at: string | null): Line {
  return at === null ? [] : [" ", { time: at }];
}

function pendingLine(card: Card): Line {
  const { request, reach, audience } = card;
  const until: Line =
    request.approvalDeadline === null ? [] : [" until ", { time: request.approvalDeadline }];
  if (audience !== "requester") return ["Waiting for a decision", ...until];
  const names = request.approvers
    .filter(({ status }) => status === "PENDING" || status === "ESCALATED")
    .map(({ name }) => name);
  const asked: Line = names.length === 0 ? [] : [" Asked: ", ...namesLine(names), "."];
  const reached: Line =
    reach === null || reach.unreachedNames.length === 0
      ? []
      : [` ${reachText(reach)}, not: `, ...namesLine(reach.unreachedNames), "."];
  const channels = unreachedChannelLines(card).flatMap((line): Line => [" ", ...line]);
  return ["Waiting for a decision", ...until, ".", ...asked, ...reached, ...channels];
}

import type { Card } from "../service/views/card.ts";
import type { RequestView } from "../service/views/request-view.ts";
import { reachText, unreachedChannelLines } from "./delivery-text.ts";
import { namesLine, type Line } from "./line.ts";

/** What the reader is asked to do, or what has become of it. Why it ended is quoted below, whole. */
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
      return [endedText(request.status), ...endedBy, ...when(request.endedAt)];
    case "COMPLETED":
      return request.extends === null
        ? ["Done", ...when(request.endedAt)]
        : ["Approved", ...by, ...when(request.endedAt), ": the time was added"];
    case "TIMED_OUT":
    case "FAILED":
    case "EXPIRED":
      return [endedText(request.status), ...when(request.endedAt)];
  }
}

/** Who ended it before its time, if somebody did. */
export function endedByOf({ endedBy }: Card): Line {
  return endedBy === null ? [] : [" by ", { userText: endedBy.name }];
}

/** How it ended, in one or a few words; for what has not ended, how it stands. */
export function endedText(status: RequestView["status"]): string {
  return ended[status];
}

const ended = {
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

function when(at: string | null): Line {
  return at === null ? [] : [" ", { time: at }];
}

function pendingLine(card: Card): Line {
  const { request, reach, audience } = card;
  const until: Line =
    request.approvalDeadline === null ? [] : [" until ", { time: request.approvalDeadline }];
  if (audience !== "requester") return ["Waiting for a decision", ...until];
  const names = request.approvers
    .filter((one) => one.status === "PENDING" || one.status === "ESCALATED")
    .map((one) => one.name);
  const asked: Line = names.length === 0 ? [] : [" Asked: ", ...namesLine(names), "."];
  const reached: Line =
    reach === null || reach.unreachedNames.length === 0
      ? []
      : [` ${reachText(reach)}, not: `, ...namesLine(reach.unreachedNames), "."];
  const channels = unreachedChannelLines(card).flatMap((line): Line => [" ", ...line]);
  return ["Waiting for a decision", ...until, ".", ...asked, ...reached, ...channels];
}

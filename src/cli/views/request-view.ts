import type { AccessRequest, Risk } from "../api/api-schemas.ts";
import type { CliIo } from "../io/cli-io.ts";
import { inlineUserText } from "../../wording/user-text.ts";
import { quotationRows, rowsOf } from "./quotation.ts";
import { fields } from "./table.ts";
import { formatTargets } from "./target-view.ts";
import { formatTime } from "../io/format-time.ts";

/** Formats one request for a person, with its token if the response has one. */
export function formatRequest(request: AccessRequest, io: CliIo): string {
  const at = (text: string | null): string | null => (text === null ? null : formatTime(text, io));
  const quoted = (text: string | null): readonly string[] => (text === null ? [] : quotationRows(text, io));
  const isOpen = request.status === "PENDING";
  return fields([
    ["Request", request.id],
    ["Status", statusText(request)],
    ["Requester", requesterOf(request)],
    ["Scopes", request.scopes],
    ["Duration", durationOf(request)],
    ["Reason", quoted(request.reason)],
    ["Ticket", quoted(request.ticket)],
    ["Extends", request.extends],
    ["Risk", request.risk === null ? null : riskText(request.risk)],
    ["Policies", rowsOf(policiesText(request), io)],
    ...request.approvals.map(({ stage, required, given }): [string, readonly string[]] => [
      `Stage ${stage}`,
      rowsOf(`${given} of ${required}: ${votesOf(request, stage)}`, io),
    ]),
    ["Stranded", strandedText(request, io)],
    ["Asked", at(request.requestedAt)],
    ["Decide by", isOpen ? at(request.approvalDeadline) : null],
    ["Claim by", request.status === "APPROVED" ? at(request.claimDeadline) : null],
    ["Expires", request.endedAt === null ? at(request.expiresAt) : null],
    ["Ended", at(request.endedAt)],
    ["Because", quoted(request.endReason)],
    ["Metadata", quoted(metadataText(request))],
    ["Review", rowsOf(reviewOf(request, io) ?? "", io)],
    ["Revision", isOpen ? request.revision : null],
    ["Credential", credentialOf(request)],
    ...targetsOf(request),
    ["Token", request.credential?.token],
  ]).concat(formatTargets(request.credential?.targets ?? [], io));
}

/** The status, and for break-glass whether its review is due. */
export function statusText({ status, breakGlass, review }: AccessRequest): string {
  if (!breakGlass) return status;
  const isWaiting = review !== null && review.dueAt !== null && review.reviews.length === 0;
  return `${status}, break-glass${isWaiting ? `, review ${review.isOverdue ? "overdue" : "due"}` : ""}`;
}

function policiesText({ policies }: AccessRequest): string {
  return policies
    .map(({ name, version }) => `${inlineUserText({ userText: name })} (version ${version})`)
    .join(", ");
}

function metadataText({ metadata }: AccessRequest): string | null {
  const lines = Object.entries(metadata).map(([name, value]) => `${name}: ${value}`);
  return lines.length === 0 ? null : lines.join("\n");
}

/** Formats a risk score: `40: production 40, first access 10`. */
export function riskText({ score, factors }: Risk): string {
  const named = factors.map(({ name, points }) => `${name} ${points}`).join(", ");
  return named === "" ? String(score) : `${score}: ${named}`;
}

/** One line about what a request waits for, or how it ended. */
export function progressText(request: AccessRequest): string {
  const { id, status, endReason } = request;
  if (status === "PENDING") return `${id} waits for ${waitingFor(request)}.`;
  if (status === "APPROVED") return `${id} is approved.`;
  return `${id} is ${status}${endReason === null ? "" : ` (${endReason})`}.`;
}

function waitingFor({ approvals, approvers }: AccessRequest): string {
  const open = approvals.filter(({ given, required }) => given < required);
  const parts = open.map(({ stage, given, required }) => {
    const people = approvers.filter(
      (approver) => approver.stage === stage && ["PENDING", "ESCALATED"].includes(approver.status),
    );
    const names = people.map(({ name }) => name).join(", ");
    return `${required - given} more of ${names === "" ? `stage ${stage}` : names}`;
  });
  return parts.length === 0 ? "its approval" : parts.join(", and ");
}

function strandedText({ stranded }: AccessRequest, io: CliIo): string | null {
  return stranded === null
    ? null
    : `since ${formatTime(stranded.since, io)}: too few people are left who may decide stage ${stranded.stage}; the same access may be requested again`;
}

function requesterOf({ identityId, requestedBy }: AccessRequest): string {
  return identityId === requestedBy ? identityId : `${identityId}, asked by ${requestedBy}`;
}

function durationOf({ duration, grantedDuration }: AccessRequest): string {
  return grantedDuration === null || grantedDuration === duration
    ? duration
    : `${duration} asked, ${grantedDuration} granted`;
}

function votesOf({ approvers }: AccessRequest, stage: number): string {
  return approvers
    .filter((approver) => approver.stage === stage)
    .map(({ name, status, comment }) =>
      [
        inlineUserText({ userText: name }),
        status,
        ...(comment === undefined ? [] : [inlineUserText({ quote: comment })]),
      ].join(" "),
    )
    .join(", ");
}

function reviewOf({ review }: AccessRequest, io: CliIo): string | null {
  if (review === null) return null;
  const given = review.reviews.map(
    ({ by, name, outcome, comment }) =>
      `${outcome} by ${inlineUserText({ userText: name ?? by })} ${inlineUserText({ quote: comment })}`,
  );
  if (given.length > 0) return given.join(", ");
  if (review.dueAt === null) return "due once it is used";
  return `${review.isOverdue ? "overdue since" : "due"} ${formatTime(review.dueAt, io)}`;
}

/** The state of its objects at the targets. */
function targetsOf({ grant }: AccessRequest): readonly (readonly [string, string])[] {
  return (grant?.targets ?? []).map(({ connector, object, state, drift, problem }) => {
    const changed = drift.length === 0 ? "" : `, changed by hand: ${drift.join("; ")}`;
    const why = problem === null ? "" : `, last attempt: ${problem}`;
    return ["Target", `${connector} ${object} ${state}${why}${changed}`] as const;
  });
}

function credentialOf({ grant }: AccessRequest): string | null {
  const last4 = grant?.credential?.last4;
  return last4 === undefined ? null : `…${last4}`;
}

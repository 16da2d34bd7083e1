import type { NoticeKind } from "../../../core/effects/notices.ts";
import type { Card } from "../../../service/views/card.ts";

/** Whether its reader can still act on the note, or should know of it whatever happened to the request since. */
export function isStillRelevant(
  notice: NoticeKind,
  { request, audience, actions, noLongerAskedAs }: Card,
): boolean {
  const isAsked = request.status === "PENDING" && noLongerAskedAs === null;
  switch (notice) {
    case "reminder":
      return isAsked && (audience !== "approver" || actions.includes("approve"));
    case "escalated":
    case "unreached":
    case "channel_unreached":
    case "approver_added":
      return isAsked;
    case "approver_removed":
      return request.status === "PENDING" && noLongerAskedAs !== null;
    case "stranded":
      return request.stranded !== null;
    case "reachable":
      return request.status === "PENDING" && request.stranded === null;
    case "waiting":
    case "submitted":
      return audience !== "approver" || isAsked;
    case "ending_soon":
      return request.status === "ACTIVE";
    // Not sent once the access is gone: after an outage of many targets there would be too many notes.
    case "target_overdue":
      return request.grant?.targets.some((target) => target.state === "REVOKE_OVERDUE") === true;
    case "reviewer_added":
    case "review_waiting":
    case "review_due":
    case "review_overdue":
      return (
        (request.review?.reviews.length ?? 0) === 0 && (audience !== "reviewer" || noLongerAskedAs === null)
      );
    default:
      return true;
  }
}

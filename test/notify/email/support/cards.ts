import type { NoticeKind } from "../../../../src/core/effects/notices.ts";
import type { Note } from "../../../../src/service/messaging/messenger.ts";
import { actionsFor, type Audience, type Card } from "../../../../src/service/views/card.ts";
import type { RequestView } from "../../../../src/service/views/request-view.ts";
import { cardOf, viewOf } from "../../../wording/support/cards.ts";

/** A waiting request that was sent by e-mail. */
export function viewFixture(changes: Partial<RequestView> = {}): RequestView {
  return viewOf({
    requestedAt: "2024-01-15T10:30:00.000Z",
    approvalDeadline: "2024-01-16T10:30:00.000Z",
    reason: "Orders are stuck",
    duration: "4h",
    notifyChannels: ["email"],
    approvals: [{ stage: 1, required: 1, given: 0 }],
    approvers: [],
    revision: "0".repeat(32),
    ...changes,
  });
}

export function cardFixture(
  audience: Audience,
  request: Partial<RequestView> = {},
  changes: Partial<Card> = {},
): Card {
  const view = viewFixture(request);
  return cardOf(view, { audience, actions: actionsFor(audience, view, null), ...changes });
}

export function noteOf(notice: NoticeKind, card: Card): Note {
  return { about: "request", notice, card };
}

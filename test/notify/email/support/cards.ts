import type { NoticeKind } from "../../../../src/core/effects/notices.ts";
import { actionsFor, type Audience, type Card } from "../../../../src/service/views/card.ts";
import type { Note } from "../../../../src/service/messaging/messenger.ts";
import type { RequestView } from "../../../../src/service/views/request-view.ts";

export function viewFixture(changes: Partial<RequestView> = {}): RequestView {
  return {
    id: "jit_xyz789",
    status: "PENDING",
    identityId: "id_dev",
    requestedBy: "id_dev",
    requestedAt: "2024-01-15T10:30:00.000Z",
    expiresAt: null,
    reason: "Orders are stuck",
    scopes: ["read:prod:orders-db"],
    duration: "4h",
    grantedDuration: null,
    ticket: null,
    metadata: {},
    notifyChannels: ["email"],
    notifications: [],
    breakGlass: false,
    extends: null,
    approvalDeadline: "2024-01-16T10:30:00.000Z",
    claimDeadline: null,
    decidedAt: null,
    startedAt: null,
    endedAt: null,
    endReason: null,
    policies: [],
    risk: null,
    approvals: [{ stage: 1, required: 1, given: 0 }],
    approvers: [],
    stranded: null,
    revision: "0".repeat(32),
    grant: null,
    review: null,
    ...changes,
  };
}

export function cardFixture(
  audience: Audience,
  request: Partial<RequestView> = {},
  changes: Partial<Card> = {},
): Card {
  const view = viewFixture(request);
  return {
    audience,
    request: view,
    version: "1.0",
    subjectName: "Dev",
    subjectEmail: "dev@company.com",
    catalogName: null,
    askedByName: null,
    askedAs: [],
    noLongerAskedAs: null,
    decidedBy: null,
    endedBy: null,
    lastDecision: null,
    reach: null,
    voterAccounts: [],
    unreachedChannels: [],
    mentions: [],
    actions: actionsFor(audience, view, null),
    ...changes,
  };
}

export function noteOf(notice: NoticeKind, card: Card): Note {
  return { about: "request", notice, card };
}

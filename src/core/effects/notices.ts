import type { IdentityId } from "../values/ids.ts";

/** Everything people are notified about. The text is made when it is sent (wording/note-text.ts). */
export const noticeKinds = [
  "submitted",
  "reminder",
  "escalated",
  "approved",
  "denied",
  "cancelled",
  "timed_out",
  "approver_added",
  "approver_removed",
  "reviewer_added",
  "stranded",
  "reachable",
  "failed",
  "started",
  "ending_soon",
  "extended",
  "ended",
  "break_glass_used",
  "review_due",
  "break_glass_reviewed",
  "review_overdue",
  "target_overdue",
  "unreached",
  "channel_unreached",
  "waiting",
  "review_waiting",
  "key_made",
  "key_expiring",
] as const;
export type NoticeKind = (typeof noticeKinds)[number];

/** The kind of reader of a request's card, which decides its buttons. */
export type Audience = "requester" | "approver" | "channel" | "reviewer" | "alert";

/** A notice, with the people that only the decision knows. Other recipients follow from the request. */
export interface Notice {
  readonly notice: NoticeKind;
  /** Approvers asked or reminded by it; reviewers who may review from now on. */
  readonly people: readonly IdentityId[];
}

/** Who receives a notice, and in what form. */
export interface NoticeRule {
  /**
   * - people: the approvers named by the notice
   * - requester: the subject, and the person who submitted the request for them
   * - channels: the channels of the governing policies
   * - alerted: the channels that break-glass notifies
   * - reviewers: people who may review the use
   * - new_reviewers: the reviewers named by the notice
   * - admins: administrators named by the configuration
   */
  readonly to: "people" | "requester" | "channels" | "alerted" | "reviewers" | "new_reviewers" | "admins";
  /**
   * In chat. `card`: the card as a new message, kept up to date. `note`: a short message below the card. `quiet`:
   * only the delivered card is updated, without a notification.
   */
  readonly chat: "card" | "note" | "quiet";
  /** Whether it is also sent by e-mail, which cannot be updated later. */
  readonly byEmail: boolean;
  /** Sent only where they already received something about this request. */
  readonly isKnownOnly?: true;
  /** Sends a note to people who have the card already, because updating a message notifies nobody. */
  readonly isRepeated?: true;
}

/**
 * The table of who is notified of what, and how. In addition, every delivered card is updated at every change.
 *
 * Notices go to the surfaces the request names (`notifyChannels`) on which a person can be reached. An approver or
 * reviewer who cannot be reached there is notified on any other surface.
 */
export const noticeRules: { readonly [Kind in NoticeKind]: readonly NoticeRule[] } = {
  submitted: [
    { to: "people", chat: "card", byEmail: true },
    { to: "requester", chat: "card", byEmail: false },
    { to: "channels", chat: "card", byEmail: true },
  ],
  reminder: [{ to: "people", chat: "note", byEmail: true }],
  escalated: [
    { to: "people", chat: "card", byEmail: true },
    { to: "requester", chat: "note", byEmail: true },
    { to: "channels", chat: "note", byEmail: false },
  ],
  approved: [
    { to: "requester", chat: "note", byEmail: true },
    { to: "channels", chat: "note", byEmail: false },
  ],
  denied: [
    { to: "requester", chat: "note", byEmail: true },
    { to: "channels", chat: "note", byEmail: false },
  ],
  cancelled: [
    { to: "requester", chat: "quiet", byEmail: false },
    { to: "channels", chat: "note", byEmail: false },
  ],
  timed_out: [
    { to: "requester", chat: "note", byEmail: true },
    { to: "channels", chat: "note", byEmail: false },
  ],
  approver_added: [{ to: "people", chat: "card", byEmail: true, isRepeated: true }],
  approver_removed: [{ to: "people", chat: "quiet", byEmail: true, isKnownOnly: true }],
  reviewer_added: [{ to: "new_reviewers", chat: "card", byEmail: true }],
  stranded: [
    { to: "requester", chat: "note", byEmail: true },
    { to: "admins", chat: "note", byEmail: true },
  ],
  reachable: [
    { to: "requester", chat: "note", byEmail: true },
    { to: "admins", chat: "note", byEmail: true },
  ],
  failed: [{ to: "requester", chat: "note", byEmail: true }],
  started: [
    { to: "requester", chat: "quiet", byEmail: true },
    { to: "channels", chat: "note", byEmail: false },
  ],
  ending_soon: [{ to: "requester", chat: "note", byEmail: false }],
  extended: [{ to: "requester", chat: "note", byEmail: true }],
  ended: [
    { to: "requester", chat: "note", byEmail: true },
    { to: "channels", chat: "note", byEmail: false },
  ],
  break_glass_used: [
    { to: "alerted", chat: "card", byEmail: true },
    { to: "reviewers", chat: "card", byEmail: true },
    { to: "requester", chat: "card", byEmail: true },
  ],
  review_due: [{ to: "reviewers", chat: "note", byEmail: true }],
  break_glass_reviewed: [
    { to: "requester", chat: "note", byEmail: true },
    { to: "alerted", chat: "note", byEmail: true },
  ],
  review_overdue: [
    { to: "reviewers", chat: "note", byEmail: true },
    { to: "alerted", chat: "note", byEmail: true },
    { to: "requester", chat: "note", byEmail: true },
  ],
  target_overdue: [
    { to: "admins", chat: "note", byEmail: true },
    { to: "alerted", chat: "note", byEmail: true },
  ],
  unreached: [{ to: "requester", chat: "note", byEmail: true }],
  // The people are approvers who counted on the channel and now get a message of their own.
  channel_unreached: [
    { to: "people", chat: "card", byEmail: false },
    { to: "requester", chat: "note", byEmail: true },
    { to: "admins", chat: "note", byEmail: true },
  ],
  waiting: [{ to: "people", chat: "card", byEmail: false }],
  review_waiting: [{ to: "new_reviewers", chat: "card", byEmail: false }],
  // Not about a request: sent to the key's owner (outbox/runners/announce-keys.ts).
  key_made: [],
  key_expiring: [],
};

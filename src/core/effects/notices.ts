import type { IdentityId } from "../values/ids.ts";

/** What people are told about. One word each; the sentence is made where it is sent (words/note-text.ts). */
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

/** For whom a copy of a request's card is, which decides what it offers. */
export type Audience = "requester" | "approver" | "channel" | "reviewer" | "alert";

/** Something to be told, with the people only the decision knew. Everybody else follows from the request. */
export interface Notice {
  readonly notice: NoticeKind;
  /** Approvers asked or reminded by this; reviewers who can judge from now on. */
  readonly people: readonly IdentityId[];
}

/** One circle of people and how they hear of something. */
export interface NoticeRule {
  /**
   * - people: those named by the news, as approvers
   * - requester: subject and, when somebody else pressed the button, that person
   * - channels: the governing policies' channels
   * - alerted: the channels break-glass tells; reviewers: who may judge it; new_reviewers: those named by the news
   * - admins: who the configuration names
   */
  readonly to: "people" | "requester" | "channels" | "alerted" | "reviewers" | "new_reviewers" | "admins";
  /**
   * In chat. `card`: gets the card as a message of its own, kept true from then on. `note`: a line below the card. `quiet`:
   * the card they have is rewritten, as every copy is on every change, and nothing rings.
   */
  readonly chat: "card" | "note" | "quiet";
  /** By e-mail, which cannot be rewritten: a letter, or nothing. */
  readonly byEmail: boolean;
  /** Only where they have been told of this request before. */
  readonly isKnownOnly?: true;
  /** Who has the card already gets a note below it: a message that is rewritten rings for nobody. */
  readonly isRepeated?: true;
}

/**
 * Who is told what, and how: the one table. Every copy of the card that is out is rewritten at every change besides.
 * Where: the surfaces the request names (`notifyChannels`) on which a person can be reached; an approver or reviewer who
 * cannot be reached there, on any other.
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
  // The people: approvers for whom the channel stood in, who now get a message of their own.
  channel_unreached: [
    { to: "people", chat: "card", byEmail: false },
    { to: "requester", chat: "note", byEmail: true },
    { to: "admins", chat: "note", byEmail: true },
  ],
  waiting: [{ to: "people", chat: "card", byEmail: false }],
  review_waiting: [{ to: "new_reviewers", chat: "card", byEmail: false }],
  // Not about a request: told to the key's owner by name (outbox/announce-keys.ts).
  key_made: [],
  key_expiring: [],
};

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
  "key_made",
  "key_expiring",
] as const;
export type NoticeKind = (typeof noticeKinds)[number];

/** For whom a copy of a request's card is, which decides what it offers. */
export type Audience = "requester" | "approver" | "channel" | "reviewer" | "alert";

/** Something to be told, with the people only the decision knew. Everybody else follows from the request. */
export interface News {
  readonly notice: NoticeKind;
  /** Approvers asked or reminded by this; reviewers who can judge from now on. */
  readonly people: readonly IdentityId[];
}

/** One circle of people and how they hear of something. */
export interface Hearing {
  /**
   * - people: those named by the news, as approvers
   * - requester: subject and, when somebody else pressed the button, that person
   * - channels: the governing policies' channels
   * - alerted: the channels break-glass tells; reviewers: who may judge it; new_reviewers: those named by the news
   * - admins: who the configuration names
   */
  readonly who: "people" | "requester" | "channels" | "alerted" | "reviewers" | "new_reviewers" | "admins";
  /**
   * In chat. `card`: gets the card as a message of its own, kept true from then on. `note`: a line below the card. `quiet`:
   * the card they have is rewritten, as every copy is on every change, and nothing rings.
   */
  readonly chat: "card" | "note" | "quiet";
  /** By e-mail, which cannot be rewritten: a letter, or nothing. */
  readonly letter: boolean;
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
export const hearings: { readonly [Notice in NoticeKind]: readonly Hearing[] } = {
  submitted: [
    { who: "people", chat: "card", letter: true },
    { who: "requester", chat: "card", letter: false },
    { who: "channels", chat: "card", letter: true },
  ],
  reminder: [{ who: "people", chat: "note", letter: true }],
  escalated: [
    { who: "people", chat: "card", letter: true },
    { who: "requester", chat: "note", letter: true },
    { who: "channels", chat: "note", letter: false },
  ],
  approved: [
    { who: "requester", chat: "note", letter: true },
    { who: "channels", chat: "note", letter: false },
  ],
  denied: [
    { who: "requester", chat: "note", letter: true },
    { who: "channels", chat: "note", letter: false },
  ],
  cancelled: [
    { who: "requester", chat: "quiet", letter: false },
    { who: "channels", chat: "note", letter: false },
  ],
  timed_out: [
    { who: "requester", chat: "note", letter: true },
    { who: "channels", chat: "note", letter: false },
  ],
  approver_added: [{ who: "people", chat: "card", letter: true, isRepeated: true }],
  approver_removed: [{ who: "people", chat: "quiet", letter: true, isKnownOnly: true }],
  reviewer_added: [{ who: "new_reviewers", chat: "card", letter: true }],
  stranded: [
    { who: "requester", chat: "note", letter: true },
    { who: "admins", chat: "note", letter: true },
  ],
  reachable: [
    { who: "requester", chat: "note", letter: true },
    { who: "admins", chat: "note", letter: true },
  ],
  failed: [{ who: "requester", chat: "note", letter: true }],
  started: [
    { who: "requester", chat: "quiet", letter: true },
    { who: "channels", chat: "note", letter: false },
  ],
  ending_soon: [{ who: "requester", chat: "note", letter: false }],
  extended: [{ who: "requester", chat: "note", letter: true }],
  ended: [
    { who: "requester", chat: "note", letter: true },
    { who: "channels", chat: "note", letter: false },
  ],
  break_glass_used: [
    { who: "alerted", chat: "card", letter: true },
    { who: "reviewers", chat: "card", letter: true },
    { who: "requester", chat: "card", letter: true },
  ],
  review_due: [{ who: "reviewers", chat: "note", letter: true }],
  break_glass_reviewed: [
    { who: "requester", chat: "note", letter: true },
    { who: "alerted", chat: "note", letter: true },
  ],
  review_overdue: [
    { who: "reviewers", chat: "note", letter: true },
    { who: "alerted", chat: "note", letter: true },
    { who: "requester", chat: "note", letter: true },
  ],
  target_overdue: [
    { who: "admins", chat: "note", letter: true },
    { who: "alerted", chat: "note", letter: true },
  ],
  unreached: [{ who: "requester", chat: "note", letter: true }],
  // The people: approvers for whom the channel stood in, who now get a message of their own.
  channel_unreached: [
    { who: "people", chat: "card", letter: false },
    { who: "requester", chat: "note", letter: true },
    { who: "admins", chat: "note", letter: true },
  ],
  waiting: [{ who: "people", chat: "card", letter: false }],
  // Not about a request: told to the key's owner by name (outbox/announce-keys.ts).
  key_made: [],
  key_expiring: [],
};

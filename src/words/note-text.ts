import { assertNever } from "../core/assert.ts";
import type { NoticeKind } from "../core/notices.ts";
import type { Card, CardAction } from "../service/card.ts";
import type { Note } from "../service/messenger.ts";
import { accessLine, endedText, plainScopes, type Line, type Part } from "./card-text.ts";
import { durationWords } from "./duration-words.ts";
import type { NoteAction } from "./labels.ts";

/** A note put into words, for any surface to lay out. */
export interface NoteText {
  readonly heading: Line;
  readonly lines: readonly Line[];
  /** At most four, of those the card has. */
  readonly actions: readonly NoteAction[];
}

/** The same words for every surface. */
export function noteText(note: Note): NoteText {
  switch (note.about) {
    case "request":
      return requestNote(note.notice, note.card);
    case "key":
      return {
        heading: ["An API key was made in your name"],
        lines: [
          [{ said: note.mintedBy }, " made it. Its roles: ", note.roles.join(", "), "."],
          note.expiresAt === null
            ? ["It works until it is deleted. Its id is ", note.keyId, "."]
            : ["It works until ", { time: note.expiresAt }, ". Its id is ", note.keyId, "."],
          [
            "Whoever has it acts as you. If you do not know of it, tell an administrator now: they can delete it.",
          ],
        ],
        actions: [],
      };
    case "link":
      return linkNote(note);
    default:
      return assertNever(note);
  }
}

function linkNote({ account, displayName, email, candidate }: Extract<Note, { about: "link" }>): NoteText {
  const platform = account.surface === "slack" ? "Slack" : "Teams";
  const team = account.surface === "slack" ? "Workspace" : "Tenant";
  return {
    heading: [{ said: displayName }, ` asks to be linked from ${platform}`],
    lines: [
      [`${team} `, { said: account.team }, ", user ", { said: account.user }],
      email === null ? ["The platform gave no address."] : ["Address there: ", { said: email }],
      candidate === null
        ? ["Nobody here has this address. Find out who it is before you link."]
        : ["They seem to be ", { said: candidate.name }, " (", candidate.id, "). Link only if you are sure."],
      ["Whoever is linked can ask and decide as that person."],
    ],
    actions: candidate === null ? ["link_other"] : ["link", "link_other"],
  };
}

interface Said {
  readonly heading: Line;
  readonly lines: readonly Line[];
  /** What is worth pressing now; shown if the card has it. */
  readonly press: readonly CardAction[];
}

function requestNote(notice: NoticeKind, card: Card): NoteText {
  const said = saidOf(notice, card);
  return {
    heading: said.heading,
    lines: [...said.lines, ["Request ", card.request.id]],
    actions: said.press.filter((action) => card.actions.includes(action)),
  };
}

const deciding: readonly CardAction[] = ["approve", "deny", "approve_for_less", "details"];

function saidOf(notice: NoticeKind, card: Card): Said {
  const { request } = card;
  const who: Part = { said: card.subjectName };
  const isOwn = card.audience === "requester";
  const whose: Line = isOwn ? ["Your"] : [who, "'s"];
  const access = accessLine(card);
  switch (notice) {
    case "submitted":
      return isOwn
        ? { heading: ["Your request was sent"], lines: [access, ...decideUntil(card)], press: ["cancel"] }
        : { heading: [who, " asks for access"], lines: [access, ...decideUntil(card)], press: deciding };
    case "reminder":
      return {
        heading: ["Still waiting for you: ", who, " asks for access"],
        lines: [access, ...decideUntil(card)],
        press: deciding,
      };
    case "escalated":
      return {
        heading: ["Nobody has decided yet, so you are asked too: ", who, " asks for access"],
        lines: [access, ...decideUntil(card)],
        press: deciding,
      };
    case "approved":
      return approved(card, whose, access);
    case "denied":
      return {
        heading: [...whose, " request was denied", ...by(card)],
        lines: [access, ...why(card), ...(isOwn ? [["You can ask again, with what was missing."]] : [])],
        press: [],
      };
    case "cancelled":
      return {
        heading: [...whose, " request was cancelled", ...by(card)],
        lines: [access, ...why(card)],
        press: [],
      };
    case "timed_out":
      return {
        heading: [
          ...whose,
          request.decidedAt === null ? " request timed out" : " approval was not used in time",
        ],
        lines: [
          access,
          [request.decidedAt === null ? "Nobody decided in time." : "The credential was not shown in time."],
          ...(isOwn ? [["You can ask again."]] : []),
        ],
        press: [],
      };
    case "failed":
      return {
        heading: [...whose, " access could not be given"],
        lines: [access, ...why(card), ...(isOwn ? [["You can ask again."]] : [])],
        press: [],
      };
    case "started":
      return {
        heading: [...whose, " access has started"],
        lines: [access, ...activeUntil(card)],
        press: isOwn ? ["done", "extend"] : ["revoke"],
      };
    case "extended":
      return {
        heading: [...whose, " access was extended", ...by(card)],
        lines: [access, ...activeUntil(card)],
        press: isOwn ? ["done"] : ["revoke"],
      };
    case "ended":
      return {
        heading: [...whose, ` access is over: ${endedText(request.status).toLowerCase()}`, ...by(card)],
        lines: [access, ...why(card), ...(isOwn ? [["The credential does not work any more."]] : [])],
        press: [],
      };
    case "ending_soon":
      return {
        heading: [...whose, " access ends soon"],
        lines: [access, ...activeUntil(card)],
        press: isOwn ? ["extend", "done"] : [],
      };
    case "unreached":
      return {
        heading: ["Not everybody could be told of your request"],
        lines: unreached(card),
        press: ["cancel"],
      };
    case "target_overdue":
      return {
        heading: ["Access that is over could not be taken back everywhere yet"],
        lines: [
          [...whose, " access: ", { said: plainScopes(card) }],
          ...overdueTargets(card),
          ["It is tried again without end. Whoever runs the target should look at it."],
        ],
        press: ["details"],
      };
    case "break_glass_used":
    case "break_glass_reviewed":
    case "review_due":
    case "review_overdue":
      return emergency(notice, card, access);
    case "key_made":
      return { heading: ["An API key was made in your name"], lines: [], press: [] };
    default:
      return assertNever(notice);
  }
}

function approved(card: Card, whose: Line, access: Line): Said {
  const { request } = card;
  const isOwn = card.audience === "requester";
  if (request.extends !== null) {
    return { heading: [...whose, " extension was approved", ...by(card)], lines: [access], press: [] };
  }
  const claim: readonly Line[] =
    request.claimDeadline === null || request.status !== "APPROVED"
      ? []
      : isOwn
        ? [["Press Show credential before ", { time: request.claimDeadline }, "; the time begins then."]]
        : [["To be claimed before ", { time: request.claimDeadline }, "."]];
  return {
    heading: [...whose, " request was approved", ...by(card)],
    lines: [access, ...claim],
    press: isOwn ? ["show_credential", "cancel"] : ["revoke"],
  };
}

function emergency(
  notice: "break_glass_used" | "break_glass_reviewed" | "review_due" | "review_overdue",
  card: Card,
  access: Line,
): Said {
  const { request } = card;
  const isOwn = card.audience === "requester";
  const who: Part = { said: card.subjectName };
  const judging: readonly CardAction[] = ["justified", "not_justified", "revoke"];
  const due = request.review?.dueAt ?? null;
  const until: readonly Line[] = due === null ? [] : [["To be reviewed by ", { time: due }, "."]];
  switch (notice) {
    case "break_glass_used":
      return {
        heading: isOwn ? ["You took emergency access"] : [who, " took emergency access without approval"],
        lines: [
          access,
          ["Reason: ", { said: request.reason }],
          ...until,
          ...(isOwn ? [["People were alerted, each use is recorded, and it will be reviewed."]] : []),
        ],
        press: isOwn ? ["show_credential", "done"] : judging,
      };
    case "break_glass_reviewed": {
      const last = request.review?.reviews.at(-1);
      const isJustified = last?.outcome === "justified";
      return {
        heading: [
          isOwn ? "Your emergency access was judged " : "Emergency access was judged ",
          isJustified ? "justified" : "not justified",
          ...by(card),
        ],
        lines: [access, ...(last === undefined ? [] : [["Comment: ", { said: last.comment }]])],
        press: [],
      };
    }
    case "review_due":
      return {
        heading: ["Please review the emergency access of ", who],
        lines: [access, ["Reason: ", { said: request.reason }], ...until],
        press: judging,
      };
    case "review_overdue":
      return {
        heading: isOwn
          ? ["Your emergency access has not been reviewed in time"]
          : ["The review of ", who, "'s emergency access is overdue"],
        lines: [
          access,
          ...(isOwn ? [["Ask a reviewer: until then your next emergency access may be refused."]] : []),
        ],
        press: judging,
      };
  }
}

function by({ decidedBy }: Card): Line {
  return decidedBy === null ? [] : [" by ", { said: decidedBy.name }];
}

function why({ request }: Card): readonly Line[] {
  return request.endReason === null ? [] : [["Why: ", { said: request.endReason }]];
}

function decideUntil({ request }: Card): readonly Line[] {
  const { approvalDeadline } = request;
  return request.status !== "PENDING" || approvalDeadline === null
    ? []
    : [["To be decided before ", { time: approvalDeadline }, ". Without a decision nothing is given."]];
}

function activeUntil({ request }: Card): readonly Line[] {
  return request.expiresAt === null ? [] : [["It ends ", { time: request.expiresAt }, "."]];
}

function unreached({ reach, request }: Card): readonly Line[] {
  if (reach === null) return [];
  const names = reach.unreachedNames;
  return [
    [
      `${reach.reached} of ${reach.asked} approvers reached for ${durationWords(request.duration)} of access.`,
    ],
    ...(names.length === 0 ? [] : [["Not reached: ", { said: names.join(", ") }, "."] satisfies Line]),
    ["If it is urgent, tell them yourself: they can decide in the API or another chat."],
  ];
}

function overdueTargets({ request }: Card): readonly Line[] {
  const late = (request.grant?.targets ?? []).filter((target) => target.state === "REVOKE_OVERDUE");
  return late.length === 0 ? [] : [["Still there at: ", late.map((one) => one.connector).join(", "), "."]];
}

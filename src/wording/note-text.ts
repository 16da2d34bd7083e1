import { assertNever } from "../core/values/assert.ts";
import type { ChatAccount, Note } from "../service/messaging/messenger.ts";
import type { Line } from "./line.ts";
import { alertNote } from "./alert-notice-text.ts";
import { requestNote, type NoteText } from "./request-notice-text.ts";

export type { NoteText };

/** The text of a note, the same on every surface. */
export function noteText(note: Note): NoteText {
  switch (note.about) {
    case "request":
      return requestNote(note.notice, note.card, note.isOver);
    case "key":
      return note.notice === "key_expiring" ? keyExpiringNote(note) : keyMadeNote(note);
    case "link":
      return linkRequestNote(note);
    case "linked":
      return {
        heading: ["Linked: ", { userText: note.identity.name }],
        lines: [accountLine(note.account), [`They ask and decide as ${note.identity.id} from now on.`]],
        actions: [],
      };
    case "account_linked":
      return accountLinkedNote(note);
    case "alert":
      return alertNote(note.alert);
    default:
      return assertNever(note);
  }
}

function accountLinkedNote({ account, byName }: Extract<Note, { about: "account_linked" }>): NoteText {
  const platform = account.surface === "slack" ? "Slack" : "Teams";
  return {
    heading: [`A ${platform} account was linked to you`],
    lines: [
      [
        ...(byName === null ? ["By your address there"] : [{ userText: byName }, " linked it"]),
        `: ${account.surface === "slack" ? "workspace" : "tenant"} `,
        { userText: account.team },
        ", user ",
        { userText: account.user },
        ".",
      ],
      ["Anyone who uses that account can ask and decide as you."],
      ["If it is not yours, tell an administrator now: they can take the link away."],
    ],
    actions: [],
  };
}

type KeyNote = Extract<Note, { about: "key" }>;

function keyMadeNote({ mintedBy, roles, expiresAt, keyId }: KeyNote): NoteText {
  return {
    heading: ["An API key was made in your name"],
    lines: [
      [{ userText: mintedBy }, " made it. Its roles: ", roles.join(", "), "."],
      expiresAt === null
        ? ["It works until it is deleted. Its id is ", keyId, "."]
        : ["It works until ", { time: expiresAt }, ". Its id is ", keyId, "."],
      [
        "Anyone who has it acts as you. If you do not know of it, tell an administrator now: they can delete it.",
      ],
    ],
    actions: [],
  };
}

function keyExpiringNote({ roles, expiresAt, keyId, last4 }: KeyNote): NoteText {
  const end: Line = expiresAt === null ? [] : ["It works until ", { time: expiresAt }, ". "];
  return {
    heading: ["Your API key expires soon"],
    lines: [
      [...end, "Its id is ", keyId, `, and it ends in …${last4}. Its roles: `, roles.join(", "), "."],
      [
        "If you still need it, ask an administrator for a new key before that. Programs that use it stop then.",
      ],
    ],
    actions: [],
  };
}

function linkRequestNote({
  account,
  displayName,
  email,
  candidate,
}: Extract<Note, { about: "link" }>): NoteText {
  const platform = account.surface === "slack" ? "Slack" : "Teams";
  return {
    heading: [{ userText: displayName }, ` asks to be linked from ${platform}`],
    lines: [
      accountLine(account),
      email === null ? ["The platform gave no address."] : ["Address there: ", { userText: email }],
      candidate === null
        ? ["Nobody here has this address. Find out who it is before you link."]
        : [
            "They seem to be ",
            { userText: candidate.name },
            " (",
            candidate.id,
            "). Link only if you are sure.",
          ],
      ["The linked account can ask and decide as that person."],
    ],
    actions: candidate === null ? ["link_other"] : ["link", "link_other"],
  };
}

function accountLine({ surface, team, user }: ChatAccount): Line {
  return [surface === "slack" ? "Workspace " : "Tenant ", { userText: team }, ", user ", { userText: user }];
}

import { durationWords } from "../../wording/duration-words.ts";
import { createHash } from "node:crypto";
import type { Card } from "../../service/views/card.ts";
import type { Note } from "../../service/messaging/messenger.ts";
import type { Line } from "../../wording/line.ts";
import { cardText } from "../../wording/card-text.ts";
import { noteText } from "../../wording/note-text.ts";
import { footer, requestContent, type Content, type RequestContent } from "./mail-content.ts";
import { emailHtml } from "./mail-html.ts";
import { oneLine, plainLine } from "./mail-lines.ts";
import { quotedText } from "./quotation.ts";
import { chatPlatforms, waysToAct, type ChatPlatform, type WayToAct } from "./ways-to-act.ts";

/** An e-mail that is ready to be sent. All user text in it is escaped. */
export interface EmailMessage {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly messageId: string;
  /** Message-IDs of the thread's root and, for an extension, of the extended access; empty: starts a thread. */
  readonly references: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
}

export interface Envelope {
  readonly to: string;
  /** The part after the `@` in our Message-IDs. */
  readonly domain: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** The chat platforms that are configured; absent: all. */
  readonly chats?: readonly ChatPlatform[];
}

const subjectMax = 160;
const nameMax = 60;
/** Repeats within this time share a Message-ID, so that mailboxes drop them. Later ones are new e-mails. */
const repeatMs = 10 * 60_000;

/** A note as an e-mail. */
export function noteEmail(note: Note, envelope: Envelope): EmailMessage {
  const { heading, lines: noteLines, actions } = noteText(note);
  const lines = noteLines.map(withoutButton);
  const { chats = chatPlatforms } = envelope;
  if (note.about === "request") {
    const { card, notice } = note;
    const text = cardText(card);
    // The note alone does not say who has to decide, or how long emergency access lasts.
    const { audience, request } = card;
    const isStatusChange =
      audience === "alert" ||
      audience === "reviewer" ||
      (audience === "requester" && request.status === "PENDING");
    const content = {
      heading,
      lines: [...lines, ...(isStatusChange ? [withoutButton(text.status)] : [])],
      about: requestContent(text),
      ways: waysToAct(actions, request.id, chats),
    };
    return requestEmail(card, notice, content, envelope);
  }
  const content: Content = { heading, lines, about: null, ways: waysToAct(actions, "", chats) };
  const [subject, about] = subjectOf(note);
  return emailOf(subject, content, envelope, {
    name: `${about}.${note.about}`,
    references: [],
    headers: {},
  });
}

/** The subject of an e-mail that is not about a request, and the start of its Message-ID. */
function subjectOf(note: Exclude<Note, { about: "request" }>): readonly [subject: string, about: string] {
  switch (note.about) {
    case "key":
      return note.notice === "key_expiring"
        ? [`Your API key expires soon: ${note.keyId}`, note.keyId]
        : [`An API key was made in your name: ${note.keyId}`, note.keyId];
    case "account_linked":
      return ["A chat account was linked to you", "account-linked"];
    case "link":
      return [`A chat account wants to be linked: ${oneLine(note.displayName, nameMax)}`, "link"];
    case "linked":
      return ["A chat account was linked", "link"];
    case "alert":
      return ["jit-access gives no new access: an administrator is needed", note.alert.name];
  }
}

/** The current state of a request as an e-mail. */
export function cardEmail(card: Card, envelope: Envelope): EmailMessage {
  const text = cardText(card);
  const { id } = card.request;
  const content: Content = {
    heading: text.heading,
    lines: [withoutButton(text.status), ["Request ", id]],
    about: requestContent(text),
    ways: waysToAct(text.actions, id, envelope.chats ?? chatPlatforms),
  };
  return requestEmail(card, "card", content, envelope);
}

/** All e-mails about a request have the same subject, because some mail programs thread by it. */
function requestEmail(card: Card, notice: string, content: Content, envelope: Envelope): EmailMessage {
  const { request } = card;
  const kind = request.breakGlass ? "Emergency access" : "Access";
  const who = oneLine(card.subjectName, nameMax);
  const subject = `[JIT] ${kind} ${request.id}: ${who}, ${durationWords(request.duration)}, ${request.scopes.join(", ")}`;
  const roots = [...(request.extends === null ? [] : [request.extends]), request.id];
  return emailOf(subject, content, envelope, {
    name: `${request.id}.${notice}`,
    references: roots.map((id) => `<${id}@${envelope.domain}>`),
    headers: { "X-JIT-Request": request.id, "X-JIT-Notice": notice },
  });
}

function emailOf(
  subject: string,
  content: Content,
  { to, domain, atMs }: Envelope,
  more: { readonly name: string } & Pick<EmailMessage, "references" | "headers">,
): EmailMessage {
  const text = plainText(content);
  const sameAs = JSON.stringify([to, text, Math.floor(atMs / repeatMs)]);
  const digest = createHash("sha256").update(sameAs).digest("hex").slice(0, 16);
  return {
    subject: oneLine(subject, subjectMax),
    text,
    html: emailHtml(content),
    messageId: `<${more.name}.${digest}@${domain}>`,
    references: more.references,
    headers: {
      // Prevents automatic replies (RFC 3834); the second header is for Exchange.
      "Auto-Submitted": "auto-generated",
      "X-Auto-Response-Suppress": "All",
      ...more.headers,
    },
  };
}

function plainText({ heading, lines, about, ways }: Content): string {
  const blocks = [
    plainLine(heading),
    lines.map(plainLine).join("\n"),
    ...(about === null ? [] : aboutBlocks(about)),
    ways.length === 0 ? "" : ["What you can do:", ...ways.map(plainWay)].join("\n"),
    `-- \n${footer}`,
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}

function aboutBlocks({ access, terms, reason, facts, words }: RequestContent): readonly string[] {
  const name = access.catalogName === null ? "" : ` ${plainLine([{ userText: access.catalogName }])}`;
  return [
    [`Access:${name}`, ...access.scopes.map((scope) => `  ${scope}`)].join("\n"),
    plainFacts(terms),
    quotedText(reason),
    plainFacts(facts),
    ...words.map(quotedText),
  ];
}

function plainFacts(facts: RequestContent["facts"]): string {
  return facts.map(({ label, value }) => `${label}: ${plainLine(value)}`).join("\n");
}

function plainWay({ label, steps }: WayToAct): string {
  return [`  ${label}`, ...steps.map(({ where, what }) => `    ${`${where}:`.padEnd(14)} ${what}`)].join(
    "\n",
  );
}

/** E-mails have no buttons; how to start the access follows below. */
function withoutButton(line: Line): Line {
  return line.map((part) =>
    typeof part === "string" ? part.replace("Press Show credential before ", "Start it before ") : part,
  );
}

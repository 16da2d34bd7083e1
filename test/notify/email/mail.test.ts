import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cardEmail, noteEmail, type Envelope, type EmailMessage } from "../../../src/notify/email/mail.ts";
import { cardFixture, noteOf } from "./support/cards.ts";

const envelope: Envelope = {
  to: "lead@company.com",
  domain: "company.com",
  atMs: Date.UTC(2024, 0, 15, 10, 31),
};
const submitted = (card = cardFixture("approver")): EmailMessage =>
  noteEmail(noteOf("submitted", card), envelope);

test("an e-mail says what to type or press, and contains no link", () => {
  const { text, html } = submitted();
  for (const body of [text, html]) {
    expect(body).toContain("jit approve jit_xyz789");
    expect(body).toContain("/jit approve jit_xyz789");
    expect(body).toContain("jit deny jit_xyz789 --reason");
    expect(body).not.toMatch(/href|https?:|mailto:|src=/i);
  }
});

describe("an e-mail mentions only configured surfaces", () => {
  const claimable = cardFixture("requester", {
    status: "APPROVED",
    claimDeadline: "2024-01-15T19:00:00.000Z",
  });
  const all = (chats: readonly ("slack" | "teams")[]): string =>
    [
      noteEmail(noteOf("submitted", cardFixture("approver")), { ...envelope, chats }),
      noteEmail(noteOf("approved", claimable), { ...envelope, chats }),
      cardEmail(claimable, { ...envelope, chats }),
      noteEmail(
        {
          about: "link",
          account: { surface: "slack", team: "T1", user: "U1" },
          displayName: "Somebody",
          email: null,
          candidate: null,
        },
        { ...envelope, chats },
      ),
    ]
      .flatMap(({ text, html }) => [text, html.replaceAll(/<[^>]*>/g, "")])
      .map((text) => text.replaceAll("asks to be linked from Slack", ""))
      .join("\n");

  test("without chat, only the terminal", () => {
    const mails = all([]);
    expect(mails).toContain("in a terminal: jit approve jit_xyz789");
    expect(mails).toContain("in a terminal: jit claim jit_xyz789");
    expect(mails).not.toMatch(/Slack|Teams|in chat|\/jit|[Pp]ress /);
  });

  test.each([
    ["slack", /in Slack: +\/jit approve jit_xyz789/, /Teams/],
    ["teams", /in Teams: +approve jit_xyz789/, /Slack|\/jit/],
  ] as const)("with %s alone, only its own commands", (chat, own, other) => {
    const mails = all([chat]);
    expect(mails).toMatch(own);
    expect(mails).not.toMatch(other);
    expect(mails).toContain("then press Show credential");
  });

  test("with both, the commands of both", () => {
    expect(all(["slack", "teams"])).toMatch(/in Slack: +\/jit [^\n]+\n +in Teams: /);
  });
});

test("our facts come before the user text, which appears once", () => {
  const reason = "Orders are stuck\nand customers call";
  const used = noteEmail(
    noteOf("break_glass_used", cardFixture("reviewer", { reason, breakGlass: true })),
    envelope,
  );
  for (const { text, html } of [submitted(cardFixture("approver", { reason })), used]) {
    expect(text.indexOf("read:prod:orders-db")).toBeLessThan(
      text.indexOf("> Orders are stuck\n> and customers call"),
    );
    expect(html.indexOf("read:prod:orders-db")).toBeLessThan(html.indexOf("Orders are stuck"));
    expect(html.split("Orders are stuck")).toHaveLength(2);
    expect(text.split("Orders are stuck")).toHaveLength(2);
  }
});

test("times are in UTC and say so", () => {
  expect(submitted().text).toContain("2024-01-16 10:30 UTC");
});

test("all e-mails about a request form one thread, each with its own Message-ID", () => {
  const dev = cardFixture("requester", { status: "APPROVED", claimDeadline: "2024-01-15T19:00:00.000Z" });
  const emails = [
    submitted(),
    noteEmail(noteOf("reminder", cardFixture("approver")), envelope),
    noteEmail(noteOf("approved", dev), envelope),
    cardEmail(cardFixture("approver"), envelope),
  ];
  expect(new Set(emails.map(({ subject }) => subject))).toEqual(
    new Set(["[JIT] Access jit_xyz789: Dev, 4 hours, read:prod:orders-db"]),
  );
  for (const { references, messageId } of emails) {
    expect(references).toEqual(["<jit_xyz789@company.com>"]);
    expect(messageId).toMatch(/^<jit_xyz789\.[a-z_]+\.[0-9a-f]{16}@company\.com>$/);
  }
  expect(new Set(emails.map(({ messageId }) => messageId)).size).toBe(emails.length);
});

test("an extension joins the thread of the access it extends", () => {
  expect(submitted(cardFixture("approver", { id: "jit_more", extends: "jit_first" })).references).toEqual([
    "<jit_first@company.com>",
    "<jit_more@company.com>",
  ]);
});

test("a repeat has the same Message-ID; a later reminder and another reader's e-mail have others", () => {
  const later = { ...envelope, atMs: envelope.atMs + 30 * 60_000 };
  const note = noteOf("reminder", cardFixture("approver"));
  expect(noteEmail(note, envelope).messageId).toBe(noteEmail(note, envelope).messageId);
  expect(noteEmail(note, later).messageId).not.toBe(noteEmail(note, envelope).messageId);
  expect(noteEmail(note, { ...envelope, to: "ann@company.com" }).messageId).not.toBe(
    noteEmail(note, envelope).messageId,
  );
});

test("the requester reads how to claim approved access, and no secret is sent by e-mail", () => {
  const card = cardFixture("requester", { status: "APPROVED", claimDeadline: "2024-01-15T19:00:00.000Z" });
  const { text } = noteEmail(noteOf("approved", card), envelope);
  expect(text).toContain("jit claim jit_xyz789");
  expect(text).toContain("2024-01-15 19:00 UTC");
  expect(text).not.toContain("kd_jit_");
});

test("the requester reads who has to decide", () => {
  const approver = { identityId: "id_lead", name: "Lead", email: null, stage: 1, status: "PENDING" } as const;
  const reach = { reached: 1, inFlight: 0, asked: 2, unreachedNames: ["Ann"] };
  const card = cardFixture("requester", { approvers: [approver] }, { reach });
  const { text } = noteEmail(noteOf("submitted", card), envelope);
  expect(text).toContain("Asked: Lead.");
  expect(text).toContain("1 of 2 approvers reached");
});

test("break-glass is named in the subject", () => {
  const card = cardFixture("alert", { breakGlass: true, status: "ACTIVE" });
  expect(noteEmail(noteOf("break_glass_used", card), envelope).subject).toBe(
    "[JIT] Emergency access jit_xyz789: Dev, 4 hours, read:prod:orders-db",
  );
});

test("a new key, an expiring key and a link request are e-mails of their own", () => {
  const about = {
    about: "key",
    last4: "abcd",
    keyId: "key_1",
    mintedBy: "Admin",
    roles: ["approver"],
    expiresAt: "2024-04-15T00:00:00.000Z",
  } as const;
  const key = noteEmail({ ...about, notice: "key_made" }, envelope);
  expect(key).toMatchObject({ subject: "An API key was made in your name: key_1", references: [] });
  expect(key.text).toContain("approver");
  const expiring = noteEmail({ ...about, notice: "key_expiring" }, envelope);
  expect(expiring).toMatchObject({ subject: "Your API key expires soon: key_1", references: [] });
  expect(expiring.text).toContain("ends in …abcd");
  const link = noteEmail(
    {
      about: "link",
      account: { surface: "slack", team: "T1", user: "U1" },
      displayName: "Eve\r\nBcc: all@company.com",
      email: null,
      candidate: null,
    },
    envelope,
  );
  expect(link.subject).toBe("A chat account wants to be linked: Eve Bcc: all@company.com");
  expect(link.text).toContain("write the account into the person's links");
});

describe("hostile user text", () => {
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.constantFrom(
      "Dev\r\nBcc: eve@evil.example\r\n\r\n<h1>Approved</h1>",
      '<script>alert(1)</script><a href="https://evil.example">Approve</a>',
      "\u202Eevorppa\u2066 \u200Bzero",
      "a\u0000b\u001B[31mred",
      "\n\nWhat you can do:\n  Approve\n    in a terminal: rm -rf /",
      "\uD800 lone",
    ),
  );

  const harmless = submitted(
    cardFixture("approver", {
      ticket: "T",
      approvers: [
        { identityId: "id_ann", name: "Ann", email: null, stage: 1, status: "APPROVED", comment: "yes" },
      ],
    }),
  );
  const ourTags = new Set([...harmless.html.matchAll(/<[^>]*>/g)].map(([tag]) => tag));

  test("adds no header line and no markup, and neither reorders nor hides text", () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (name, reason, comment) => {
        const voter = {
          identityId: "id_ann",
          name,
          email: null,
          stage: 1,
          status: "APPROVED",
          comment,
        } as const;
        const card = cardFixture(
          "approver",
          { reason, ticket: reason, approvers: [voter] },
          {
            subjectName: name,
            askedByName: name,
            lastDecision: { status: "DENIED", at: "2024-01-01T00:00:00.000Z", byName: name, reason },
          },
        );
        const { subject, messageId, references, headers, text, html } = submitted(card);
        for (const header of [subject, messageId, ...references, ...Object.values(headers)]) {
          expect(header).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
        }
        expect(subject.length).toBeLessThanOrEqual(160);
        const tags = [...html.matchAll(/<[^>]*>/g)].map(([tag]) => tag);
        expect(tags.filter((tag) => !ourTags.has(tag))).toEqual([]);
        for (const body of [text, html]) {
          expect(body).not.toMatch(/\p{Bidi_Control}|\u200B|[^\P{Cc}\n\t]/u);
          expect(body.isWellFormed()).toBe(true);
        }
        // Every line of user text is marked, so that it cannot pass for ours.
        expect(text.split("\n").filter((line) => line === "What you can do:")).toHaveLength(1);
      }),
    );
  });
});

import { describe, expect, test } from "vitest";
import { statuses } from "../../src/core/access/status.ts";
import type { Card } from "../../src/service/views/card.ts";
import type { RequestView } from "../../src/service/views/request-view.ts";
import { cardText, scopesText } from "../../src/wording/card-text.ts";
import { namesLine } from "../../src/wording/line.ts";
import { plain } from "../chat/conversation/support/chat-harness.ts";
import { cardOf } from "./support/cards.ts";

const heading = (request: Partial<RequestView>, more: Partial<Card> = {}) =>
  plain([cardText(cardOf(request, more)).heading]);
const status = (request: Partial<RequestView>, more: Partial<Card> = {}) =>
  plain([cardText(cardOf(request, more)).status]);
const fact = (label: string, request: Partial<RequestView>, more: Partial<Card> = {}) => {
  const { terms, facts } = cardText(cardOf(request, more));
  const found = [...terms, ...facts].find((entry) => entry.label === label);
  return found === undefined ? undefined : plain([found.value]);
};
const own = { audience: "requester" } as const;

describe("the heading names the person and the status:", () => {
  test.each<[Partial<RequestView>, string, string]>([
    [{ status: "PENDING" }, "Dev asks for access", "You asked for access"],
    [{ status: "PENDING", extends: "jit_1" }, "Dev asks for more time", "You asked for more time"],
    [{ status: "APPROVED" }, "Approved: Dev's access", "Approved: your access"],
    [{ status: "APPROVED", breakGlass: true }, "Dev took emergency access", "You took emergency access"],
    [{ status: "ACTIVE" }, "Active: Dev's access", "Active: your access"],
    [{ status: "DENIED" }, "Denied: Dev's access", "Denied: your access"],
    [{ status: "COMPLETED" }, "Over: Dev's access", "Over: your access"],
    [{ status: "COMPLETED", extends: "jit_1" }, "Approved: Dev's extension", "Approved: your extension"],
    [{ status: "EXPIRED", breakGlass: true }, "Over: Dev's emergency access", "Over: your emergency access"],
  ])("%j", (request, others, theirs) => {
    expect([heading(request), heading(request, own)]).toEqual([others, theirs]);
  });
});

describe("the status line", () => {
  const ann = { decidedBy: { name: "Ann", via: "slack", at: "2026-01-15T11:00:00.000Z" } };
  const endedAt = "2026-01-15T11:00:00.000Z";

  test("names who denied and when; the reason is quoted", () => {
    expect(
      status(
        { status: "DENIED", decidedAt: endedAt, endedAt, endReason: "use the replica" },
        { endedBy: { name: "Ann" } },
      ),
    ).toBe(`Denied by Ann ${endedAt}`);
    expect(cardText(cardOf({ status: "DENIED", endReason: "use the replica" })).quotations).toContainEqual({
      label: "Why denied",
      text: "use the replica",
    });
  });

  test("never names the approver as the person who revoked", () => {
    const revoked = { status: "REVOKED", startedAt: "2026-01-15T10:40:00.000Z", endedAt } as const;
    expect(status(revoked, ann)).toBe(`Revoked ${endedAt}`);
    expect(status(revoked, { ...ann, endedBy: { name: "Bob" } })).toBe(`Revoked by Bob ${endedAt}`);
  });

  test("shows the requester who is asked, until when, and who could not be reached", () => {
    const reach = { reached: 2, inFlight: 0, asked: 3, unreachedNames: ["Cid"] };
    expect(status({}, { ...own, reach })).toBe(
      "Waiting for a decision until 2026-01-16T10:30:00.000Z. Asked: Bob. 2 of 3 approvers reached, not: Cid.",
    );
  });

  test("shows the requester what to press, and by when", () => {
    expect(status({ status: "APPROVED", claimDeadline: "2026-01-15T18:00:00.000Z" }, own)).toBe(
      "Approved. Press Show credential before 2026-01-15T18:00:00.000Z",
    );
  });
});

describe("the facts", () => {
  test("show durations in words, with the requested one if it was shortened", () => {
    expect(fact("For", { duration: "1h30m" })).toBe("1 hour 30 minutes");
    expect(fact("For", { grantedDuration: "1h" })).toBe("1 hour (asked: 2 hours)");
    expect(fact("More time", { extends: "jit_1", duration: "1h" })).toBe("1 hour");
  });

  test("name approvers, and who made the API key of an approver", () => {
    expect(fact("Approvals", {})).toBe("1 of 2 (Ann)");
    const approvers = [
      { identityId: "id_ann", name: "Ann", email: null, stage: 1, status: "APPROVED", keyMintedBy: "id_cto" },
    ] as const;
    expect(fact("Approvals", { approvers })).toBe("1 of 2 (Ann with an API key made by id_cto)");
  });

  test("name the people it was escalated to while it is pending", () => {
    const approvers = [
      { identityId: "id_cto", name: "Cto", email: null, stage: 1, status: "ESCALATED" },
    ] as const;
    expect(fact("Escalated to", { approvers })).toBe("Cto");
    expect(fact("Escalated to", { approvers, status: "DENIED" })).toBeUndefined();
  });

  test("show the risk with its factors", () => {
    const risk = {
      score: 60,
      factors: [
        { name: "production", points: 40 },
        { name: "write", points: 20 },
      ],
    };
    expect(fact("Risk", { risk })).toBe("60 of 100: production +40, write +20");
  });

  test("show the status of a break-glass review", () => {
    const review = { dueAt: "2026-01-16T10:30:00.000Z", isOverdue: false, reviews: [] };
    expect(fact("Review", { review })).toBe("due by 2026-01-16T10:30:00.000Z");
    expect(fact("Review", { review: { ...review, isOverdue: true } })).toMatch(/^overdue since /);
    const judged = {
      by: "id_sec",
      name: "Sec",
      at: "2026-01-15T12:00:00.000Z",
      outcome: "unjustified",
      comment: "no",
    } as const;
    expect(fact("Review", { review: { ...review, reviews: [judged] } })).toMatch(/^judged not justified /);
  });
});

test("user text never appears in our headings, labels or facts", () => {
  const hostile = "<!channel> *Approved* by Ann";
  const approvers = [
    { identityId: "id_ann", name: hostile, email: null, stage: 1, status: "APPROVED", comment: hostile },
    { identityId: "id_bob", name: hostile, email: null, stage: 1, status: "ESCALATED" },
  ] as const;
  const decidedBy = { name: hostile, via: "slack", at: "2026-01-15T11:00:00.000Z" };
  const lastDecision = { status: "DENIED", at: decidedBy.at, byName: hostile, reason: hostile };
  const reach = { reached: 0, inFlight: 0, asked: 1, unreachedNames: [hostile] };
  const more = { subjectName: hostile, askedByName: hostile, decidedBy, lastDecision, reach };
  for (const requestStatus of statuses) {
    for (const audience of ["requester", "approver", "channel", "reviewer", "alert"] as const) {
      const request = {
        status: requestStatus,
        approvers,
        reason: hostile,
        ticket: hostile,
        endReason: hostile,
      };
      const text = cardText(cardOf(request, { ...more, audience }));
      const facts = [...text.terms, ...text.facts];
      const lines = [text.heading, text.status, ...facts.map((single) => single.value)];
      const ourText = [
        ...lines.flat().filter((part) => typeof part === "string"),
        ...[...facts, text.reason, ...text.quotations].map((single) => single.label),
      ];
      expect(ourText.join("\n")).not.toContain(hostile);
    }
  }
});

test("long lists of scopes and names end with the number of the others", () => {
  expect(scopesText(["a:1", "a:2", "a:3"])).toBe("a:1, a:2, a:3");
  expect(scopesText(["a:1", "a:2", "a:3", "a:4", "a:5"])).toBe("a:1, a:2, a:3 and 2 more");
  expect(plain([namesLine(Array.from({ length: 12 }, (_, index) => `p${index}`))])).toMatch(/p9 and 2 more$/);
});

import { describe, expect, test } from "vitest";
import type { ServiceAlert } from "../../src/core/effects/effects.ts";
import { instant } from "../../src/core/values/ids.ts";
import { noticeKinds, type NoticeKind } from "../../src/core/effects/notices.ts";
import { cardActions, needsWholeCard, type Card, type CardAction } from "../../src/service/views/card.ts";
import type { RequestView } from "../../src/service/views/request-view.ts";
import { noteText, type NoteText } from "../../src/wording/note-text.ts";
import { plain } from "../chat/conversation/support/chat-harness.ts";
import { cardOf } from "./support/cards.ts";

const note = (notice: NoticeKind, request: Partial<RequestView>, more: Partial<Card> = {}): NoteText =>
  noteText({ about: "request", notice, card: cardOf(request, { actions: cardActions, ...more }) });
const own = { audience: "requester" } as const;
const at = "2026-01-15T12:00:00.000Z";

describe("notes to the requester, with their buttons:", () => {
  test.each<[NoticeKind, Partial<RequestView>, string, readonly CardAction[]]>([
    [
      "approved",
      { status: "APPROVED", claimDeadline: at },
      "Your request was approved",
      ["show_credential", "cancel"],
    ],
    ["approved", { status: "COMPLETED", extends: "jit_1" }, "Your extension was approved", []],
    ["denied", { status: "DENIED", endReason: "use the replica" }, "Your request was denied", []],
    ["timed_out", { status: "TIMED_OUT" }, "Your request timed out", []],
    ["timed_out", { status: "TIMED_OUT", decidedAt: at }, "Your approval was not used in time", []],
    ["started", { status: "ACTIVE", expiresAt: at }, "Your access has started", ["extend", "done"]],
    ["ending_soon", { status: "ACTIVE", expiresAt: at }, "Your access ends soon", ["extend", "done"]],
    ["extended", { status: "ACTIVE", expiresAt: at }, "Your access was extended", ["done"]],
    ["ended", { status: "EXPIRED" }, "Your access is over: expired", []],
    ["ended", { status: "REVOKED", startedAt: at }, "Your access is over: revoked", []],
    ["escalated", {}, "Nobody decided your request in time, so more people were asked", ["cancel"]],
    ["unreached", {}, "Some approvers of your request could not be reached", ["cancel"]],
    [
      "break_glass_used",
      { status: "APPROVED", breakGlass: true },
      "You took emergency access",
      ["show_credential", "done"],
    ],
    [
      "stranded",
      { stranded: { since: at, stage: 1 } },
      "Your request waits for more approvers than there are",
      ["cancel"],
    ],
    ["reachable", {}, "Your request has enough approvers again", ["cancel"]],
    ["failed", { status: "FAILED" }, "Your access could not be given", []],
  ])("%s", (notice, request, heading, actions) => {
    const text = note(notice, request, own);
    expect([plain([text.heading]), text.actions]).toEqual([heading, actions]);
  });
});

describe("notes to others, with their buttons:", () => {
  const approverButtons = ["approve", "deny", "approve_for_less", "details"] as const;
  const reviewerButtons = ["justified", "not_justified", "revoke"] as const;
  test.each<[NoticeKind, Partial<RequestView>, string, readonly CardAction[]]>([
    ["submitted", {}, "Dev asks for access", approverButtons],
    ["reminder", {}, "Still waiting for you: Dev asks for access", approverButtons],
    ["escalated", {}, "Nobody has decided in time, so you are asked: Dev asks for access", approverButtons],
    ["approved", { status: "APPROVED" }, "Dev's request was approved", ["revoke"]],
    [
      "break_glass_used",
      { status: "APPROVED", breakGlass: true },
      "Dev took emergency access without approval",
      reviewerButtons,
    ],
    [
      "review_due",
      { status: "ACTIVE", breakGlass: true },
      "Please review the emergency access of Dev",
      reviewerButtons,
    ],
    [
      "review_overdue",
      { status: "EXPIRED", breakGlass: true },
      "The review of Dev's emergency access is overdue",
      reviewerButtons,
    ],
    ["approver_added", {}, "You can now decide this: Dev asks for access", approverButtons],
    [
      "reviewer_added",
      { status: "ACTIVE", breakGlass: true },
      "You can now review this: Dev took emergency access without approval",
      reviewerButtons,
    ],
    ["approver_removed", {}, "You no longer need to decide: Dev asks for access", []],
    [
      "stranded",
      { stranded: { since: at, stage: 1 } },
      "Dev's request waits for more approvers than there are",
      [],
    ],
    ["reachable", {}, "Dev's request has enough approvers again", []],
    ["target_overdue", { status: "EXPIRED" }, "Ended access is still present at a target", ["details"]],
  ])("%s", (notice, request, heading, actions) => {
    const text = note(notice, request);
    expect([plain([text.heading]), text.actions]).toEqual([heading, actions]);
  });
});

test("notes of a denial and of an end quote the reason", () => {
  const denied = note("denied", { status: "DENIED", endReason: "use the replica" }, own);
  expect(denied.quotations).toEqual([{ label: "Why", text: "use the replica" }]);
  const ended = note("ended", { status: "REVOKED", endReason: "incident over" }, own);
  expect(ended.quotations).toEqual([{ label: "Why", text: "incident over" }]);
});

test("every note names its request and has at most four buttons, all of its card", () => {
  for (const notice of noticeKinds) {
    for (const audience of ["requester", "approver", "channel", "reviewer", "alert"] as const) {
      const text = note(notice, {}, { audience });
      const named = text.card?.requestId ?? plain(text.lines);
      expect(named + (notice === "key_made" ? "jit_xyz789" : "")).toContain("jit_xyz789");
      expect(text.actions.length).toBeLessThanOrEqual(4);
      expect(note(notice, {}, { audience, actions: [] }).actions).toEqual([]);
    }
  }
});

test("a note contains the whole request if and only if it asks for a decision or a review", () => {
  const scopes = Array.from({ length: 20 }, (_, index) => `read:prod:db-${index}`);
  for (const notice of noticeKinds) {
    for (const audience of ["requester", "approver", "channel", "reviewer", "alert"] as const) {
      const { actions, card } = note(notice, { scopes }, { audience });
      expect(card !== undefined).toBe(actions.some((action) => needsWholeCard.has(action)));
      if (card === undefined) continue;
      expect(card).toMatchObject({ access: { scopes }, reason: { text: "INC-42" }, actions });
    }
  }
});

test("the note about a new API key says what it means and what to do", () => {
  const text = noteText({
    about: "key",
    notice: "key_made",
    last4: "abcd",
    keyId: "key_1",
    mintedBy: "Cto",
    roles: ["approver"],
    expiresAt: at,
  });
  expect(plain(text.lines)).toMatch(/Cto made it\. Its roles: approver\.[^]*Anyone who has it acts as you/);
});

test("the note about an expiring API key says which one, until when and what to do, but not the key", () => {
  const text = noteText({
    about: "key",
    notice: "key_expiring",
    last4: "abcd",
    keyId: "key_1",
    mintedBy: "Cto",
    roles: ["approver"],
    expiresAt: at,
  });
  expect(plain(text.lines)).toMatch(
    /It works until .+\. Its id is key_1, and it ends in …abcd\. Its roles: approver\.[^]*ask an administrator/,
  );
});

test("a link request shows the account's ids, and the user's texts are data", () => {
  const account = { surface: "teams", team: "tenant-1", user: "object-1" } as const;
  const displayName = "<at>everyone</at>";
  const linkRequest = { about: "link", account, displayName, email: "ann@company.com" } as const;
  const text = noteText({ ...linkRequest, candidate: { id: "id_ann", name: "Ann" } });
  expect(plain(text.lines)).toContain("Tenant tenant-1, user object-1");
  expect(text.actions).toEqual(["link", "link_other"]);
  expect(text.heading).toContainEqual({ userText: displayName });
  expect(noteText({ ...linkRequest, candidate: null }).actions).toEqual(["link_other"]);
});

describe("alerts to administrators about the service:", () => {
  const lastCommitAt = instant(Date.parse(at));
  const alerts: {
    readonly [Name in ServiceAlert["name"]]: readonly [Extract<ServiceAlert, { name: Name }>, string, string];
  } = {
    clock_behind: [
      { name: "clock_behind", lastCommitAt, behindMs: 86_400_000 },
      "The system clock is behind: no new access is given",
      "npm run accept-clock",
    ],
    audit_head_differs: [
      { name: "audit_head_differs" },
      "The audit log has lost records: no new access is given",
      "npm run accept-head",
    ],
    disk_full: [{ name: "disk_full" }, "The disk is full: no new access is given", "Make room"],
  };
  test.each(Object.values(alerts))("$name", (alert, heading, remedy) => {
    const text = noteText({ about: "alert", alert });
    expect([plain([text.heading]), text.actions]).toEqual([heading, []]);
    const lines = plain(text.lines);
    expect(lines).toContain(remedy);
    expect(lines).toMatch(/endings|Endings/);
  });
});

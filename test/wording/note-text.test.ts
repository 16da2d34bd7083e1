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

describe("what the requester is told, and what there is to press", () => {
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
    const said = note(notice, request, own);
    expect([plain([said.heading]), said.actions]).toEqual([heading, actions]);
  });
});

describe("what others are told, and what there is to press", () => {
  const deciding = ["approve", "deny", "approve_for_less", "details"] as const;
  const judging = ["justified", "not_justified", "revoke"] as const;
  test.each<[NoticeKind, Partial<RequestView>, string, readonly CardAction[]]>([
    ["submitted", {}, "Dev asks for access", deciding],
    ["reminder", {}, "Still waiting for you: Dev asks for access", deciding],
    ["escalated", {}, "Nobody has decided in time, so you are asked: Dev asks for access", deciding],
    ["approved", { status: "APPROVED" }, "Dev's request was approved", ["revoke"]],
    [
      "break_glass_used",
      { status: "APPROVED", breakGlass: true },
      "Dev took emergency access without approval",
      judging,
    ],
    [
      "review_due",
      { status: "ACTIVE", breakGlass: true },
      "Please review the emergency access of Dev",
      judging,
    ],
    [
      "review_overdue",
      { status: "EXPIRED", breakGlass: true },
      "The review of Dev's emergency access is overdue",
      judging,
    ],
    ["approver_added", {}, "You can now decide this: Dev asks for access", deciding],
    [
      "reviewer_added",
      { status: "ACTIVE", breakGlass: true },
      "You can now review this: Dev took emergency access without approval",
      judging,
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
    const said = note(notice, request);
    expect([plain([said.heading]), said.actions]).toEqual([heading, actions]);
  });
});

test("a denial and an end say why", () => {
  const denied = note("denied", { status: "DENIED", endReason: "use the replica" }, own);
  expect(denied.quotations).toEqual([{ label: "Why", text: "use the replica" }]);
  const ended = note("ended", { status: "REVOKED", endReason: "incident over" }, own);
  expect(ended.quotations).toEqual([{ label: "Why", text: "incident over" }]);
});

test("every note names its request, offers only what its card does, and at most four buttons", () => {
  for (const notice of noticeKinds) {
    for (const audience of ["requester", "approver", "channel", "reviewer", "alert"] as const) {
      const said = note(notice, {}, { audience });
      const named = said.card?.requestId ?? plain(said.lines);
      expect(named + (notice === "key_made" ? "jit_xyz789" : "")).toContain("jit_xyz789");
      expect(said.actions.length).toBeLessThanOrEqual(4);
      expect(note(notice, {}, { audience, actions: [] }).actions).toEqual([]);
    }
  }
});

test("a note that asks for a decision or a judgement holds all of the request, and no other does", () => {
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

test("an API key made in somebody's name says what it means and what to do", () => {
  const said = noteText({
    about: "key",
    notice: "key_made",
    last4: "abcd",
    keyId: "key_1",
    mintedBy: "Cto",
    roles: ["approver"],
    expiresAt: at,
  });
  expect(plain(said.lines)).toMatch(/Cto made it\. Its roles: approver\.[^]*Whoever has it acts as you/);
});

test("an API key that expires soon says which one, until when and what to do, not the key itself", () => {
  const said = noteText({
    about: "key",
    notice: "key_expiring",
    last4: "abcd",
    keyId: "key_1",
    mintedBy: "Cto",
    roles: ["approver"],
    expiresAt: at,
  });
  expect(plain(said.lines)).toMatch(
    /It works until .+\. Its id is key_1, and it ends in …abcd\. Its roles: approver\.[^]*ask an administrator/,
  );
});

test("somebody who asks to be linked is shown with the ids, and their own words are data", () => {
  const account = { surface: "teams", team: "tenant-1", user: "object-1" } as const;
  const displayName = "<at>everyone</at>";
  const asked = { about: "link", account, displayName, email: "ann@company.com" } as const;
  const said = noteText({ ...asked, candidate: { id: "id_ann", name: "Ann" } });
  expect(plain(said.lines)).toContain("Tenant tenant-1, user object-1");
  expect(said.actions).toEqual(["link", "link_other"]);
  expect(said.heading).toContainEqual({ userText: displayName });
  expect(noteText({ ...asked, candidate: null }).actions).toEqual(["link_other"]);
});

describe("what administrators are told of the service itself", () => {
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
  test.each(Object.values(alerts))("$name", (alert, heading, whatToDo) => {
    const said = noteText({ about: "alert", alert });
    expect([plain([said.heading]), said.actions]).toEqual([heading, []]);
    const lines = plain(said.lines);
    expect(lines).toContain(whatToDo);
    expect(lines).toMatch(/endings|Endings/);
  });
});

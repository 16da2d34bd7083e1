import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { needsWholeCard, type Card } from "../../src/service/views/card.ts";
import { actionLabels } from "../../src/wording/labels.ts";
import { quotationLines } from "../../src/wording/user-text.ts";
import { cardFixture, noteOf } from "../notify/email/support/cards.ts";
import type { MessengerHarness } from "./messenger-contract.ts";

/** A message as a person reads it. */
export interface ShownMessage {
  /** Our text, row by row. */
  readonly ours: readonly string[];
  /** Quoted user text, row by row. */
  readonly theirs: readonly string[];
  readonly buttons: readonly string[];
}

const neverAborted = new AbortController().signal;

/** As many and as long scopes as the API accepts. */
export const longestScopes: readonly string[] = Array.from(
  { length: 20 },
  (_, index) => `${"a".repeat(32)}:${"Resource/@".repeat(12)}${String(index).padStart(8, "0")}`,
);

export const longestReasons: readonly (readonly [what: string, reason: string])[] = [
  ["words", "because ".repeat(250)],
  ["one word", "x".repeat(2_000)],
  ["emoji", "👩🏽‍💻".repeat(285)],
  ["combining marks", "e\u0301".repeat(1_000)],
  ["another script", "漢".repeat(2_000)],
  ["lines", "a\n".repeat(1_000)],
  ["empty lines", `a${"\n".repeat(1_998)}b`],
  ["what is escaped", "&<>".repeat(666)],
  ["what JSON escapes", '"\\'.repeat(1_000)],
  ["what cannot be seen", "\u200B\u202E".repeat(1_000)],
  ["controls", "\u0001\u000B".repeat(1_000)],
];

const decisionLabels: ReadonlySet<string> = new Set(
  Object.entries(actionLabels).flatMap(([action, label]) => (needsWholeCard.has(action) ? [label] : [])),
);
const isDecisionButton = (label: string): boolean => decisionLabels.has(label);

/** The text without white space, independent of how the platform breaks rows. */
const withoutWhiteSpace = (rows: readonly string[]): string => rows.join("").replaceAll(/[\s⏎\u2060]/g, "");

/** A person who can decide has been shown every scope and the whole reason. */
export function expectCompleteText(
  { ours, theirs, buttons }: ShownMessage,
  { scopes, reason }: Pick<Card["request"], "scopes" | "reason">,
  keepsCards: boolean,
): void {
  if (keepsCards && !buttons.some(isDecisionButton)) {
    expect(buttons).toContain("Details");
    return;
  }
  for (const scope of scopes) expect(ours.filter((row) => row.includes(scope))).toHaveLength(1);
  expect(withoutWhiteSpace(theirs)).toContain(withoutWhiteSpace(quotationLines(reason)));
}

/** Our labels, which people could imitate. */
const labels = [
  "Access",
  "Who",
  "For",
  "Risk",
  "Approvals",
  "Reason",
  "Ticket",
  "Comment",
  "Metadata",
  "Why denied",
  "Last time",
  "You are asked as",
  "Waiting for a decision",
  "Request",
  "Approved by",
  "Status",
];
const imitatedText = fc.oneof(
  fc.constantFrom(...labels).map((label) => `${label}: fine by me`),
  fc.constantFrom(...labels),
  fc.constantFrom("*Ticket*", "> quoted", "```", "`code`", "│ bar", '"', "”", "--"),
  fc.string({ unit: "binary", maxLength: 12 }),
);
const lineBreaks = fc.constantFrom(
  "\n",
  "\r\n",
  "\r",
  "\u2028",
  "\u2029",
  "\u0085",
  "\u000B",
  "\f",
  "\t",
  " ",
);
const imitation = fc
  .array(fc.tuple(imitatedText, lineBreaks), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.map(([words, end]) => `${words}${end}${end}`).join(""));

/** The label of ours with which a row begins. */
const labelOf = (row: string): string =>
  labels.find((label) => row === label || row.trim().startsWith(`${label}:`)) ?? "";

/** On every surface, people decide only on what they were shown, and user text never looks like ours. */
export function completeTextContract(harness: () => MessengerHarness): void {
  const post = async (card: Card): Promise<ShownMessage> => {
    const { messenger, person, latest, rest } = harness();
    rest?.();
    await messenger.post((await messenger.addressOf(person)) ?? "nowhere", card, neverAborted);
    return latest();
  };
  const note = async (notice: "reminder" | "escalated" | "review_due", card: Card): Promise<ShownMessage> => {
    const { messenger, person, latest } = harness();
    await messenger.direct(
      (await messenger.addressOf(person)) ?? "nowhere",
      noteOf(notice, card),
      null,
      neverAborted,
    );
    return latest();
  };

  describe.each(longestReasons)("the longest possible request, with a reason of %s", (_, reason) => {
    const request = { reason, scopes: longestScopes, ticket: "T".repeat(200) };
    const asked = cardFixture("approver", request);
    const used = cardFixture("reviewer", {
      ...request,
      status: "ACTIVE",
      breakGlass: true,
      startedAt: "2024-01-15T10:40:00.000Z",
      review: { dueAt: null, isOverdue: false, reviews: [] },
    });

    test("is shown in full by each message with decision buttons, or Details is offered instead", async () => {
      const { keepsCards } = harness().messenger;
      expect.hasAssertions();
      for (const shown of [
        await post(asked),
        await note("reminder", asked),
        await note("escalated", asked),
        await post(used),
        await note("review_due", used),
      ]) {
        expectCompleteText(shown, request, keepsCards);
      }
    });
  });

  test("an ordinary request is shown in full, with decision buttons", async () => {
    const request = { reason: "because ".repeat(250), scopes: longestScopes };
    const { buttons } = await post(cardFixture("approver", request));
    expect(buttons.includes("Approve")).toBe(harness().messenger.keepsCards);
  });

  test("no user text makes a row that looks like ours", async () => {
    const cardWith = (words: string): Card => {
      const name = words.slice(0, 100);
      const vote = { identityId: "id_ann", name, email: null, stage: 1 } as const;
      const at = "2024-01-15T10:00:00.000Z";
      return cardFixture(
        "approver",
        {
          reason: words,
          ticket: words,
          approvers: [{ ...vote, status: "APPROVED", comment: words, keyMintedBy: name }],
          risk: { score: 10, factors: [{ name, points: 10 }] },
        },
        {
          subjectName: name,
          catalogName: name,
          askedByName: name,
          lastDecision: { status: "DENIED", at, byName: name, reason: words },
        },
      );
    };
    const plain = (await post(cardWith("words"))).ours.map(labelOf);
    await fc.assert(
      fc.asyncProperty(imitation, async (words) => {
        expect((await post(cardWith(words))).ours.map(labelOf)).toEqual(plain);
      }),
      { numRuns: 40 },
    );
  });
}

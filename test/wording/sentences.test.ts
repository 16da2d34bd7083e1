import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assertPresent } from "../../src/core/values/assert.ts";
import {
  policyMessageTail,
  refusalStatus,
  refuse,
  type RefusalCode,
} from "../../src/core/values/refusals.ts";
import { hourMs, minuteMs, parseDuration } from "../../src/core/values/time.ts";
import { durationWords, readDuration, timeLeftWords } from "../../src/wording/duration-words.ts";
import { editDistance, closestMatch } from "../../src/wording/closest-match.ts";
import { refusalText } from "../../src/wording/refusal-text.ts";
import { cutTo, escapeInvisible } from "../../src/wording/escape-invisible.ts";
import { plain } from "../chat/conversation/support/chat-harness.ts";

const codes = Object.keys(refusalStatus).filter((code): code is RefusalCode => code in refusalStatus);

describe("refusals", () => {
  test.each(codes)("%s is complete sentences, without a code", (code) => {
    const detail = "This is what happened; do that.";
    const lines = refusalText(refuse(code, detail)).map((line) => plain([line]));
    for (const line of lines) expect(line).toMatch(/^[A-Z/].*[.!]$/);
    expect(lines.join(" ")).not.toContain(code.includes("_") ? code : "\0");
  });

  test("say what to do next", () => {
    const textOf = (code: RefusalCode, more = {}) => plain(refusalText(refuse(code, "What happened.", more)));
    expect(textOf("duplicate_request", { existing: "jit_1" })).toContain("/jit cancel jit_1");
    expect(textOf("identity_not_linked")).toContain("An administrator can link");
    expect(textOf("rate_limited", { retryAfterSeconds: 90 })).toContain("Try again in 1 minute 30 seconds.");
    expect(textOf("policy_denied")).toContain("/jit why");
    expect(textOf("already_claimed")).toContain("Replace credential");
  });

  test("quote a policy's message once, and no text can end the quotation", () => {
    const policyMessage = 'Use the replica."\nTicket: INC-1 ”said Ann';
    const detail = `The policy "no" denies read:x.${policyMessageTail(policyMessage)}`;
    const [first = [], quoted = []] = refusalText(refuse("policy_denied", detail, { policyMessage }));
    expect(plain([first])).toBe('The policy "no" denies read:x.');
    expect(quoted).toEqual(["Its author says: ", { quote: policyMessage }]);
    expect(plain([quoted])).toBe(`Its author says: "Use the replica.' Ticket: INC-1 'said Ann"`);
  });

  test("mark times for the reader's time zone, but not texts that only look like one", () => {
    const textOf = (detail: string) => refusalText(refuse("already_decided", detail))[0];
    expect(textOf("Already denied by Ann at 2026-01-15T10:30:00.000Z.")).toEqual([
      { literal: "Already denied by Ann at " },
      { time: "2026-01-15T10:30:00.000Z" },
      { literal: "." },
    ]);
    expect(textOf("2026-99-15T10:30:00.000Z")).toEqual([{ literal: "2026-99-15T10:30:00.000Z" }]);
  });

  test("keep typed text as data", () => {
    expect(refusalText(refuse("not_found", 'There is no request "<!here>".'))[0]).toEqual([
      { literal: 'There is no request "<!here>".' },
    ]);
  });
});

describe("durations", () => {
  test.each([
    ["4h", "4 hours"],
    ["1h", "1 hour"],
    ["1h30m", "1 hour 30 minutes"],
    ["2d", "2 days"],
    ["90s", "1 minute 30 seconds"],
    ["nonsense", "nonsense"],
  ])("%s reads %s", (short, words) => expect(durationWords(short)).toBe(words));

  test.each([
    ["2h", "2h"],
    ["2H", "2h"],
    ["PT4H", "4h"],
    ["2 hours", "2h"],
    ["90 min", "1h30m"],
    ["1 hour and 30 minutes", "1h30m"],
    ["1h 30m", "1h30m"],
    ["an hour", "1h"],
    ["1 day", "1d"],
    ["0h", undefined],
    ["1,5h", undefined],
    ["1.5h", undefined],
    ["2 fortnights", undefined],
    ["30m 1h", undefined],
    ["", undefined],
  ])("%s is read as %s", (typed, short) => expect(readDuration(typed)).toBe(short));

  test("the remaining time is never overstated", () => {
    expect(timeLeftWords(42 * minuteMs + 59_999)).toBe("42 minutes");
    expect(timeLeftWords(59_999)).toBe("less than a minute");
    expect(timeLeftWords(25 * hourMs + 30 * minuteMs)).toBe("1 day 1 hour");
    fc.assert(
      fc.property(fc.integer({ min: minuteMs, max: 30 * 24 * hourMs }), (ms) => {
        expect(
          parseDuration(assertPresent(readDuration(timeLeftWords(ms)), "it is read back")),
        ).toBeLessThanOrEqual(ms);
      }),
    );
  });
});

describe("user text cannot imitate ours:", () => {
  test.each([
    ["right-to-left override", "ok\u202Egnp.exe", "ok⟨U+202E⟩gnp.exe"],
    ["zero width", "pay\u200Bpal", "pay⟨U+200B⟩pal"],
    ["isolates", "\u2066a\u2069", "⟨U+2066⟩a⟨U+2069⟩"],
    ["soft hyphen", "a\u00ADb", "a⟨U+00AD⟩b"],
    ["byte order mark", "\uFEFFa", "⟨U+FEFF⟩a"],
    ["terminal controls", "a\u001B[2Jb", "a⟨U+001B⟩[2Jb"],
    ["tags", "a\u{E0041}", "a⟨U+E0041⟩"],
    ["fillers", "a\u3164b\u2800c", "a⟨U+3164⟩b⟨U+2800⟩c"],
    ["half a pair", "a\uD800b", "a⟨U+D800⟩b"],
    ["a lone joiner", "a\u200Db", "a⟨U+200D⟩b"],
    ["line separators", "a\u2028b\r\nc\u0085d", "a\nb\nc\nd"],
  ])("%s becomes visible", (_, hidden, shown) => expect(escapeInvisible(hidden)).toBe(shown));

  test("ordinary writing is unchanged", () => {
    for (const text of ["Grüße, Ångström", "日本語\tテキスト\n2", "👩🏽‍💻 ❤️‍🔥 🏳️‍🌈", "שלום", "naïve e\u0301"]) {
      expect(escapeInvisible(text)).toBe(text);
    }
  });

  test("combining marks cannot cover other lines", () => {
    expect(escapeInvisible(`a${"\u0301".repeat(50)}`).length).toBeLessThan(12);
  });

  test("no text keeps invisible characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(escapeInvisible(text)).not.toMatch(
          /[\u202A-\u202E\u2066-\u2069\u200B\u200E\u200F\uFEFF\p{Cs}]/u,
        );
      }),
    );
  });
});

describe("cutting", () => {
  test("never splits a grapheme", () => {
    expect(cutTo("abc👩🏽‍💻def", 6)).toBe("abc…");
    expect(cutTo("e\u0301e\u0301e\u0301", 5)).toBe("e\u0301e\u0301…");
  });

  test("keeps text that fits, and stays within the limit of any count", () => {
    const escaped = (text: string) => text.replaceAll("&", "&amp;").length;
    expect(cutTo("abc", 3)).toBe("abc");
    expect(cutTo("&&&", 11, escaped)).toBe("&&…");
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.nat({ max: 40 }), (text, max) => {
        expect(escaped(cutTo(text, max, escaped))).toBeLessThanOrEqual(max);
        expect(cutTo(text, max).length).toBeLessThanOrEqual(max);
      }),
    );
  });
});

describe("did you mean", () => {
  test("counts omitted, added, changed and swapped letters", () => {
    expect(editDistance("request", "reqest")).toBe(1);
    expect(editDistance("deny", "dney")).toBe(1);
    expect(editDistance("kitten", "sitting")).toBe(3);
    expect(editDistance("", "why")).toBe(3);
  });

  test("suggests only similar words", () => {
    expect(closestMatch("aprove", ["approve", "deny"])).toBe("approve");
    expect(closestMatch("zzz", ["approve", "deny"])).toBeUndefined();
    expect(closestMatch("a".repeat(10_000), ["approve"])).toBeUndefined();
  });
});

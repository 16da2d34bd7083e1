import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatDuration } from "../../src/core/values/time.ts";
import { commandNames, parseCommand } from "../../src/wording/parse-command.ts";
import { commandHelp } from "../../src/wording/help.ts";

const requestCommand = (more: object) => ({
  verb: "request",
  scopes: ["read:prod:orders-db"],
  duration: "2h",
  reason: "INC-42",
  ticket: null,
  ...more,
});

describe("different spellings of a request parse the same:", () => {
  test.each([
    "request read:prod:orders-db for 2h because INC-42",
    "Request Read:prod:orders-db FOR 2H Because INC-42",
    "/jit request read:prod:orders-db for 2h because INC-42",
    "jit request read:prod:orders-db for 2 hours because INC-42",
    "request read:prod:orders-db because INC-42 for 2h",
    "request read:prod:orders-db because INC-42, for 120 minutes",
    "request read:prod:orders-db 2h because INC-42",
    'request "read:prod:orders-db" for 2h because "INC-42"',
    "request “read:prod:orders-db” for “2h” because “INC-42”",
    "request access to read:prod:orders-db, for 2h, because INC-42",
    "  request   read:prod:orders-db\n for 2h\n because INC-42  ",
    "request for 2h because INC-42",
  ])("%s", (typed) => {
    const isScopeless = !typed.toLowerCase().includes("read:");
    expect(parseCommand(typed)).toEqual(requestCommand(isScopeless ? { scopes: [] } : {}));
  });
});

describe("a reason keeps all of its words:", () => {
  test.each([
    ["request a:b for 2h because the job for 30m has hung", "the job for 30m has hung"],
    ["request a:b for 2h because it can't wait for me", "it can't wait for me"],
    ["request a:b because “not for 2h” for 2h", "not for 2h"],
    ["request a:b for 2h because he said “now”, twice", "he said “now”, twice"],
    ["request a:b for 2h because I have lost my ticket again", "I have lost my ticket again"],
    ["request a:b for 2h because because", "because"],
  ])("%s", (typed, reason) => {
    expect(parseCommand(typed)).toMatchObject({ reason, duration: "2h", ticket: null });
  });
});

test("a ticket may come before or after the reason", () => {
  const parsed = { duration: "1h", reason: "stuck job", ticket: "OPS-7" };
  expect(parseCommand("request a:b for 1h ticket OPS-7 because stuck job")).toMatchObject(parsed);
  expect(parseCommand("request a:b for 1h because stuck job ticket OPS-7")).toMatchObject(parsed);
  expect(parseCommand("request a:b because stuck job ticket OPS-7 for 1h")).toMatchObject(parsed);
});

test('several scopes are separated by spaces, commas or "and"', () => {
  const scopes = ["read:a", "write:a", "read:b:c"];
  for (const typed of [
    "read:a write:a read:b:c",
    "read:a, write:a,read:b:c",
    "read:a, write:a and read:b:c",
  ]) {
    expect(parseCommand(`request ${typed}`)).toMatchObject({ scopes });
  }
});

test("an id parses with and without jit_, in any case, with punctuation around it", () => {
  for (const typed of [
    "jit_xyz789",
    "xyz789",
    "JIT_XYZ789",
    "`jit_xyz789`",
    "#xyz789",
    "“jit_xyz789”",
    "jit_xyz789.",
  ]) {
    expect(parseCommand(`status ${typed}`)).toEqual({ verb: "status", id: "jit_xyz789" });
  }
});

describe("commands with an id keep the words after it:", () => {
  test.each([
    ["deny xyz use the replica", { verb: "deny", id: "jit_xyz", reason: "use the replica" }],
    ["deny xyz because use the replica", { verb: "deny", id: "jit_xyz", reason: "use the replica" }],
    ["deny xyz", { verb: "deny", id: "jit_xyz", reason: null }],
    ["done xyz", { verb: "done", id: "jit_xyz", reason: null }],
    ["cancel xyz not needed", { verb: "cancel", id: "jit_xyz", reason: "not needed" }],
    ["revoke xyz 'leaked'", { verb: "revoke", id: "jit_xyz", reason: "leaked" }],
    ["approve xyz", { verb: "approve", id: "jit_xyz", duration: null, comment: null }],
    ["approve xyz looks good", { verb: "approve", id: "jit_xyz", duration: null, comment: "looks good" }],
    ["approve xyz for 1h", { verb: "approve", id: "jit_xyz", duration: "1h", comment: null }],
    ["approve xyz 1h", { verb: "approve", id: "jit_xyz", duration: "1h", comment: null }],
    ["approve xyz for an hour because ok", { verb: "approve", id: "jit_xyz", duration: "1h", comment: "ok" }],
    [
      "extend xyz for 1h because restore",
      { verb: "extend", id: "jit_xyz", duration: "1h", reason: "restore" },
    ],
    ["extend xyz", { verb: "extend", id: "jit_xyz", duration: null, reason: null }],
  ])("%s", (typed, command) => {
    expect(parseCommand(typed)).toEqual(command);
  });
});

test("an approval for less never becomes an approval for the full duration", () => {
  for (const typed of ["looks good for 1h", "because fine for 1h", "for 1h please", "for 1h because fine"]) {
    expect(parseCommand(`approve xyz ${typed}`)).toMatchObject({ verb: "approve", duration: "1h" });
  }
  expect(parseCommand("approve xyz for 1 fortnight")).toHaveProperty("error");
});

describe("a mistyped command gets a suggestion that is a valid command:", () => {
  test.each([
    ["reqest a:b for 2h", "request a:b for 2h"],
    ["aprove xyz", "approve xyz"],
    ["dney xyz no", "deny xyz no"],
    ["reject xyz no", "deny xyz no"],
    ["breakglas", "break-glass"],
    ["emergency write:prod:x", "break-glass write:prod:x"],
    ["read:prod:orders-db for 1h", "request read:prod:orders-db for 1h"],
    ["jit_xyz789", "status jit_xyz789"],
    ["statsu xyz", "status xyz"],
    ["help reqest", "help request"],
    ["list all", "list"],
    ["?", "help"],
  ])("%s", (typed, didYouMean) => {
    const parsed = parseCommand(typed);
    expect(parsed).toMatchObject({ didYouMean });
    expect(parseCommand(didYouMean)).not.toHaveProperty("error");
  });
});

describe("an invalid command is an error, never a guess:", () => {
  test.each([
    "zzzzzzzz",
    "request orders-db",
    "request a:b for ever",
    "request a:b for 2h for 3h",
    "request a:b for",
    "why",
    "status",
    "deny because no",
    "approve !!!",
  ])("%s", (typed) => {
    expect(parseCommand(typed)).toMatchObject({ error: expect.stringMatching(/\.$/) });
  });
});

test("break-glass parses in every spelling", () => {
  for (const typed of ["break-glass", "Break_Glass", "breakglass", "break glass"]) {
    expect(parseCommand(`${typed} a:b for 30m`)).toMatchObject({ verb: "break-glass", scopes: ["a:b"] });
  }
});

test("every example of the help parses as the command it explains", () => {
  for (const name of commandNames) {
    for (const example of commandHelp[name].examples)
      expect(parseCommand(example)).toMatchObject({ verb: name });
  }
});

test("any text is a command or an error, and never throws", () => {
  const word = fc.constantFrom(
    ...commandNames,
    "for",
    "because",
    "ticket",
    "2h",
    "a:b",
    '"',
    "“",
    "jit_x",
    ",",
  );
  const noise = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(word).map((all) => all.join(" ")),
  );
  fc.assert(
    fc.property(noise, (typed) => {
      const parsed = parseCommand(typed);
      expect("verb" in parsed || "error" in parsed).toBe(true);
    }),
  );
});

test("a request in the documented order parses to what was typed", () => {
  const scope = fc.stringMatching(/^[a-z]{1,8}:[A-Za-z0-9._/@-]{1,20}$/);
  const reason = fc.stringMatching(/^[A-Z][a-z]{1,8}( [a-z]{5,8}){0,3}$/);
  fc.assert(
    fc.property(
      fc.uniqueArray(scope, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 2_592_000 }),
      reason,
      (scopes, seconds, reasonText) => {
        fc.pre(!/\b(for|because|ticket)\b/i.test(reasonText));
        const duration = formatDuration(seconds * 1000);
        const parsed = parseCommand(`request ${scopes.join(" ")} for ${duration} because ${reasonText}`);
        expect(parsed).toEqual({ verb: "request", scopes, duration, reason: reasonText, ticket: null });
      },
    ),
  );
});

test("text copied from our messages parses in spite of the invisible joiners in it", () => {
  expect(parseCommand("approve jit\u2060_abcdefghij for 1h\u200B because fine")).toEqual(
    parseCommand("approve jit_abcdefghij for 1h because fine"),
  );
  expect(
    parseCommand("request read\u2060:prod\u2060:orders-db for 2h because \uFEFFDisk\u2060_full 👩‍🚒"),
  ).toMatchObject({
    verb: "request",
    scopes: ["read:prod:orders-db"],
    reason: "Disk_full 👩‍🚒",
  });
});

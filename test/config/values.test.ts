import { describe, expect, test } from "vitest";
import { z } from "zod";
import { fieldProblems } from "../../src/config/schemas/field-problems.ts";
import {
  channel,
  channels,
  description,
  duration,
  email,
  groupName,
  identityId,
  name,
  scope,
  scopes,
  selector,
  selectors,
  selectorsWithoutManager,
  time,
} from "../../src/config/schemas/values.ts";

const accepted: [string, z.ZodType, unknown, unknown][] = [
  ["duration", duration, "90s", 90_000],
  ["duration", duration, "1h30m", 5_400_000],
  ["duration", duration, "PT4H", 14_400_000],
  ["duration", duration, "30d", 2_592_000_000],
  ["scope", scope, "read:prod:orders-db", "read:prod:orders-db"],
  ["scopes", scopes, ["read:database", "write:database"], ["read:database", "write:database"]],
  ["email", email, "Dev@Company.com", "dev@company.com"],
  ["identityId", identityId, "id_abc123", "id_abc123"],
  ["groupName", groupName, "on call", "on call"],
  ...[
    "Team DBA (EU)",
    "Größe & Gewicht",
    "データベース管理",
    "گروه\u200Cها",
    "CN=DBA,OU=Groups,DC=company,DC=com",
    "a:b",
    "(x)",
    "🦊",
    "x".repeat(256),
    "🦊".repeat(256),
  ].flatMap((group): [string, z.ZodType, unknown, unknown][] => [
    ["groupName", groupName, group, group],
    ["selector", selector, `group:${group}`, { kind: "group", group }],
  ]),
  ["selector", selector, "security@company.com", { kind: "email", email: "security@company.com" }],
  ["selector", selector, "group:dba", { kind: "group", group: "dba" }],
  ["selector", selector, "identity:id_lead", { kind: "identity", id: "id_lead" }],
  ["selector", selector, "manager", { kind: "manager" }],
  ["selector", selector, "slack-usergroup:S0123", { kind: "slack-usergroup", id: "S0123" }],
  ["channel", channel, "slack:C0APPROVALS", "slack:C0APPROVALS"],
  ["channel", channel, "teams:19:aBc_d-1@thread.tacv2", "teams:19:aBc_d-1@thread.tacv2"],
  ["channel", channel, "teams:19:0123456789abcdef@thread.skype", "teams:19:0123456789abcdef@thread.skype"],
  ["channel", channel, "teams:19:meeting_aBc-1@thread.v2", "teams:19:meeting_aBc-1@thread.v2"],
  ["channel", channel, "email:Security@company.com", "email:security@company.com"],
  ["time", time, "2024-01-15T10:30:00.000Z", 1_705_314_600_000],
  ["time", time, "2024-01-15T11:30:00+01:00", 1_705_314_600_000],
  ["name", name, "Größe (2)", "Größe (2)"],
  ["description", description, "two\nlines", "two\nlines"],
];

const refused: [string, z.ZodType, unknown, string][] = [
  ["duration", duration, "1,5h", ""],
  ["duration", duration, "1.5h", ""],
  ["duration", duration, "4 h", ""],
  ["duration", duration, "0s", ""],
  ["duration", duration, "31d", ""],
  ["duration", duration, "PT", ""],
  ["duration", duration, 3_600, ""],
  ["scope", scope, "read", ""],
  ["scope", scope, "Read:x", ""],
  ["scope", scope, "read:x y", ""],
  ["scope", scope, "read:*", ""],
  ["scopes", scopes, [], ""],
  ["scopes", scopes, ["a:b", "a:b"], "1"],
  ["scopes", scopes, Array.from({ length: 21 }, (_, index) => `read:x${index}`), ""],
  ["email", email, "nobody", ""],
  ["identityId", identityId, "abc123", ""],
  ...[
    "",
    " dba",
    "dba ",
    "dba\u00A0",
    "a\nb",
    "a\tb",
    "a\u0000b",
    "a\u2028b",
    "a\uD800b",
    " ",
    "x".repeat(257),
    "🦊".repeat(257),
  ].flatMap((group): [string, z.ZodType, unknown, string][] => [
    ["groupName", groupName, group, ""],
    ["selector", selector, `group:${group}`, ""],
  ]),
  ["selector", selector, "user:x", ""],
  ["selector", selector, "group:", ""],
  ["selectors", selectors, [], ""],
  ["selectors", selectors, ["group:a", "dev@company.com", "DEV@company.com"], "2"],
  ["selectorsWithoutManager", selectorsWithoutManager, ["group:a", "manager"], "1"],
  ["channel", channel, "#general", ""],
  ["channel", channel, "slack:general", ""],
  ["channel", channel, "teams:19:x@thread.v3", ""],
  ["channel", channel, "teams:19:x@thread.skype.evil", ""],
  ["channel", channel, "teams:28:x@thread.v2", ""],
  ["channel", channel, "email:x", ""],
  ["channels", channels, ["slack:C012", "slack:C012"], "1"],
  ["time", time, "2024-01-15", ""],
  ["time", time, "2024-01-15T10:30:00", ""],
  ["time", time, "2024-02-30T10:30:00Z", ""],
  ["time", time, "2024-01-15T10:30:00Z[Europe/Berlin]", ""],
  ["name", name, "", ""],
  ["name", name, "two\nlines", ""],
  ["name", name, " x", ""],
  ["name", name, "x".repeat(101), ""],
  ["description", description, "x".repeat(1_001), ""],
];

/** Shortened for the test title. */
function writtenFirst<Last>([one, schema, written, last]: [string, z.ZodType, unknown, Last]) {
  return [one, written, schema, last] as const;
}

describe("a written value has one meaning", () => {
  test.each(accepted.map(writtenFirst))("%s reads %j", (_name, written, schema, meaning) => {
    expect(schema.parse(written)).toEqual(meaning);
  });
});

describe("anything else is refused at its position", () => {
  test.each(refused.map(writtenFirst))("%s refuses %j", (_name, written, schema, path) => {
    const outcome = schema.safeParse(written);
    const problems = outcome.success ? [] : fieldProblems(outcome.error, written);
    expect(problems.map((problem) => problem.path)).toEqual([path]);
  });
});

test.each(["1,5h", 2, null])("a bad duration (%j) is answered with the accepted forms", (written) => {
  const outcome = duration.safeParse(written);
  expect(outcome.error?.issues[0]?.message).toBe(
    "must be a duration from 1s to 30d such as 90s, 30m, 4h, 1h30m, 2d or PT4H",
  );
});

test.each<[z.ZodType, unknown, string]>([
  [z.string().max(2_000), "x".repeat(2_001), "must have at most 2,000 characters"],
  [z.string().min(1), "", "must not be empty"],
  [z.string().min(3), "ab", "must have at least 3 characters"],
  [z.array(z.string()).max(1), ["a", "b"], "must hold at most 1 entry"],
  [z.array(z.string()).max(20), Array.from({ length: 21 }, String), "must hold at most 20 entries"],
  [z.array(z.string()).min(1), [], "must not be empty"],
  [z.int().max(100), 101, "must be at most 100"],
  [z.int().min(0), -1, "must be at least 0"],
  [z.int(), 1.5, "must be a whole number"],
  [z.string(), 1, "must be a text"],
  [z.boolean(), "yes", "must be true or false"],
  [z.array(z.string()), "a", "must be a list"],
  [z.strictObject({}), [], "must be an object with fields"],
  [z.record(z.string(), z.string()), "a", "must be an object with fields"],
  [z.string().max(1, "is too long for us"), "ab", "is too long for us"],
])("sizes and types are said in our words (%#)", (schema, written, message) => {
  const outcome = schema.safeParse(written);
  const problems = outcome.success ? [] : fieldProblems(outcome.error, written);
  expect(problems).toEqual([{ path: "", message }]);
});

test("the pattern for editors accepts what the parser accepts", () => {
  const shown = z.toJSONSchema(z.object({ duration }), { io: "input" }).$defs?.["Duration"];
  const pattern = new RegExp(shown?.pattern ?? "missing");
  const forms = ["90s", "30m", "4h", "1h30m", "2d", "PT4H", "P1DT2H", "P2D"];
  expect(forms.filter((written) => !pattern.test(written))).toEqual([]);
  expect(pattern.test("1,5h")).toBe(false);
});

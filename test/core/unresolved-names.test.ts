import { describe, expect, test } from "vitest";
import { assertPresent } from "../../src/core/values/assert.ts";
import {
  unresolvedChannels,
  unresolvedSelectors,
  selectorsNamed,
} from "../../src/core/policy/unresolved-names.ts";
import { parseSelector, type Identity, type Selector } from "../../src/core/values/identity.ts";
import { emptyRules, type Policy, type Rules } from "../../src/core/policy/policy.ts";
import { approvalPolicy, stageBy } from "./support/policies.ts";
import { person } from "./support/decision-setup.ts";

const selector = (text: string): Selector => assertPresent(parseSelector(text), text);
const people: readonly Identity[] = [
  person("ann", { groups: ["dba"], email: "Ann@company.com" }),
  person("bob", { groups: ["dba", "gone"], enabled: false }),
  person("bot", { kind: "SERVICE", groups: ["robots"] }),
];

/** Paths of warnings, dotted as in the file. */
const warningPaths = (policies: readonly Policy[], rules: Partial<Rules> = {}): readonly string[] =>
  unresolvedSelectors({ policies, rules: { ...emptyRules, ...rules } }, people).map(({ path }) =>
    path.join("."),
  );
const approvedBy = (...stages: readonly Parameters<typeof stageBy>[]): Policy =>
  approvalPolicy("p", { stages: stages.map((stage) => stageBy(...stage)) });

describe("selectors without people are reported:", () => {
  test.each(["group:dba", "ann@company.com", "identity:id_ann", "manager"])("not %s", (text) => {
    expect(warningPaths([approvedBy([text])])).toEqual([]);
  });

  test.each([
    ["a group nobody is in", "group:dbaa"],
    ["a group of people who are switched off", "group:gone"],
    ["a group of programs: they never decide", "group:robots"],
    ["an address nobody has", "an@company.com"],
    ["an id nobody has", "identity:id_an"],
    ["somebody who is switched off", "identity:id_bob"],
    ["a Slack user group, when Slack is not trusted with them", "slack-usergroup:S0123"],
  ])("%s", (_, text) => {
    expect(warningPaths([approvedBy(["group:dba"]), approvedBy([text])])).toEqual([
      "policies.1.approval.stages.0.approvers.0",
    ]);
  });

  test("a Slack user group is not checked when Slack is trusted", () => {
    expect(warningPaths([approvedBy(["slack-usergroup:S0123"])], { trustSlackUserGroups: true })).toEqual([]);
  });

  test("a person named twice counts once", () => {
    expect(
      warningPaths([approvedBy(["group:dba ann@company.com identity:id_ann", { required: 2 }])]),
    ).toEqual(["policies.0.approval.stages.0.required"]);
  });

  test("fewer people than a stage requires are reported, unless a manager comes on top", () => {
    expect(warningPaths([approvedBy(["group:dba", { required: 2 }])])).toEqual([
      "policies.0.approval.stages.0.required",
    ]);
    const withManager = stageBy("group:dba", { required: 2 });
    const stage = { ...withManager, approvers: [...withManager.approvers, selector("manager")] };
    expect(warningPaths([approvalPolicy("p", { stages: [stage] })])).toEqual([]);
  });

  test("every field that names people is checked, except in disabled policies", () => {
    const nobody = selector("group:nobody");
    const escalating = stageBy("group:dba", { escalateTo: [[selector("group:dba")], [nobody]] });
    const allowed = [selector("group:dba"), nobody];
    const { breakGlass } = emptyRules;
    const off = { ...approvedBy(["group:nobody"]), enabled: false };
    expect(
      warningPaths([off, approvalPolicy("e", { stages: [escalating] })], {
        chatRoles: { admin: [nobody], auditor: [nobody] },
        defaultPolicy: approvedBy(["group:nobody"]),
        breakGlass: { ...breakGlass, allowed, review: { ...breakGlass.review, by: [nobody] } },
      }).toSorted(),
    ).toEqual([
      "breakGlass.allowed.1",
      "breakGlass.review.by.0",
      "default.approval.stages.0.approvers.0",
      "policies.1.approval.stages.0.escalateTo.1.0",
      "roles.admin.0",
      "roles.auditor.0",
    ]);
  });

  test("reviewers are not checked if nobody may use break-glass", () => {
    const { breakGlass } = emptyRules;
    const by = [selector("group:nobody")];
    expect(warningPaths([], { breakGlass: { ...breakGlass, review: { ...breakGlass.review, by } } })).toEqual(
      [],
    );
  });

  test("an unconfigured channel is reported, except in disabled policies", () => {
    const channels = ["slack:C0", "teams:19:x@thread.tacv2"];
    const posted = approvalPolicy("p", { stages: [stageBy("group:dba")], channels });
    const { breakGlass } = emptyRules;
    const rules = { ...emptyRules, defaultPolicy: posted, breakGlass: { ...breakGlass, notify: channels } };
    const content = { policies: [{ ...posted, enabled: false }, posted], rules };
    const found = unresolvedChannels(content, (channel) => channel.startsWith("slack:"));
    expect(found.map(({ path }) => path.join("."))).toEqual([
      "policies.1.approval.channels.1",
      "default.approval.channels.1",
      "breakGlass.notify.1",
    ]);
  });

  test("each name is looked up once", () => {
    const policies = [approvedBy(["group:dba"], ["group:dba"]), approvedBy(["manager"], ["group:dba"])];
    expect(selectorsNamed({ policies, rules: emptyRules })).toEqual([selector("group:dba")]);
  });
});

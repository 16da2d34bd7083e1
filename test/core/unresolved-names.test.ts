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

/** Where somebody is missing, dotted as in the file. */
const said = (policies: readonly Policy[], rules: Partial<Rules> = {}): readonly string[] =>
  unresolvedSelectors({ policies, rules: { ...emptyRules, ...rules } }, people).map(({ path }) =>
    path.join("."),
  );
const approvedBy = (...stages: readonly Parameters<typeof stageBy>[]): Policy =>
  approvalPolicy("p", { stages: stages.map((one) => stageBy(...one)) });

describe("who is counted on and not there", () => {
  test.each(["group:dba", "ann@company.com", "identity:id_ann", "manager"])("not %s", (text) => {
    expect(said([approvedBy([text])])).toEqual([]);
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
    expect(said([approvedBy(["group:dba"]), approvedBy([text])])).toEqual([
      "policies.1.approval.stages.0.approvers.0",
    ]);
  });

  test("a Slack user group is Slack's to know, when it is trusted", () => {
    expect(said([approvedBy(["slack-usergroup:S0123"])], { trustSlackUserGroups: true })).toEqual([]);
  });

  test("somebody named twice counts once", () => {
    expect(said([approvedBy(["group:dba ann@company.com identity:id_ann", { required: 2 }])])).toEqual([
      "policies.0.approval.stages.0.required",
    ]);
  });

  test("fewer people than a stage wants; not where a manager comes on top", () => {
    expect(said([approvedBy(["group:dba", { required: 2 }])])).toEqual([
      "policies.0.approval.stages.0.required",
    ]);
    const withManager = stageBy("group:dba", { required: 2 });
    const stage = { ...withManager, approvers: [...withManager.approvers, selector("manager")] };
    expect(said([approvalPolicy("p", { stages: [stage] })])).toEqual([]);
  });

  test("in every place that names people, and not in a policy that is off", () => {
    const nobody = selector("group:nobody");
    const escalating = stageBy("group:dba", { escalateTo: [[selector("group:dba")], [nobody]] });
    const allowed = [selector("group:dba"), nobody];
    const { breakGlass } = emptyRules;
    const off = { ...approvedBy(["group:nobody"]), enabled: false };
    expect(
      said([off, approvalPolicy("e", { stages: [escalating] })], {
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

  test("the reviewers of a break-glass that nobody may use are of no interest", () => {
    const { breakGlass } = emptyRules;
    const by = [selector("group:nobody")];
    expect(said([], { breakGlass: { ...breakGlass, review: { ...breakGlass.review, by } } })).toEqual([]);
  });

  test("a channel that leads nowhere, in what is in force", () => {
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

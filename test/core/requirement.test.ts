import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Demand, Requirement } from "../../src/core/policy/requirement-model.ts";
import { formatSelector } from "../../src/core/values/identity.ts";
import { policyDefaults, type Policy, type StageRule } from "../../src/core/policy/policy.ts";
import { missingDemands, requirementOf, stagesOf, withAdded } from "../../src/core/policy/requirement.ts";
import { hourMs, minuteMs } from "../../src/core/values/time.ts";
import { always, anyStage, approvalPolicy, autoPolicy, scopeOf, stageBy } from "./support/policies.ts";

const readA = scopeOf("read:a");
const readB = scopeOf("read:b");
const readC = scopeOf("read:c");

const termsOf = (...policies: readonly Policy[]) =>
  requirementOf(policies.map((policy, place) => ({ scope: scopeOf(`read:${place}`), policy })));
const requiring = (...policies: readonly Policy[]): Requirement => termsOf(...policies).requirement;
const staged = (name: string, ...stages: readonly StageRule[]): Policy => approvalPolicy(name, { stages });

/** `dba: 1 group:dba ×1 | 2 manager ×2` */
const inWords = (demand: Demand): string => {
  const stages = demand.stages.map(
    (stage) => `${stage.number} ${stage.approvers.map(formatSelector).join(" ")} ×${stage.required}`,
  );
  return `${demand.policyName}: ${stages.join(" | ")}`;
};
const missing = (frozen: Requirement, current: Requirement): readonly string[] =>
  missingDemands(frozen, current).map(inWords);

const sec = stageBy("group:sec");
const dba = stageBy("group:dba");
const cto = stageBy("cto@company.com");
const twoDba = stageBy("group:dba", { required: 2 });
const auto = autoPolicy("auto", { conditions: [always] });

describe("governing policies add up", () => {
  test("each once, in the order of the first scope it governs, with all its scopes; stage numbers run on", () => {
    const [first, second] = [staged("first", sec, dba), staged("second", cto)];
    const { requirement } = requirementOf([
      { scope: readB, policy: second },
      { scope: readA, policy: first },
      { scope: readC, policy: second },
    ]);
    expect(requirement.demands.map(inWords)).toEqual([
      "second: 1 cto@company.com ×1",
      "first: 2 group:sec ×1 | 3 group:dba ×1",
    ]);
    expect(requirement.demands.map((demand) => demand.scopes)).toEqual([[readB, readC], [readA]]);
    expect(stagesOf(requirement).map((stage) => stage.number)).toEqual([1, 2, 3]);
  });

  test("what a stage says is frozen as it was written", () => {
    const rule = stageBy("manager", {
      required: 2,
      slaMs: 30 * minuteMs,
      remindersMs: [15 * minuteMs],
      escalateTo: [[{ kind: "group", group: "leadership" }]],
      via: ["slack"],
    });
    expect(stagesOf(requiring(staged("a", rule)))).toEqual([{ ...rule, number: 1 }]);
  });

  test("the shortest of every time counts, for the window among approval policies only", () => {
    const slow = approvalPolicy("slow", { windowMs: 20 * hourMs }, { claimWindowMs: 2 * hourMs });
    const quick = approvalPolicy("quick", { windowMs: 3 * hourMs }, { maxDurationMs: 5 * hourMs });
    const short = autoPolicy("short", {
      conditions: [always],
      claimWindowMs: hourMs,
      maxDurationMs: 6 * hourMs,
    });
    const terms = termsOf(slow, quick, short);
    expect(terms.requirement.windowMs).toBe(3 * hourMs);
    expect(terms.requirement.claimWindowMs).toBe(hourMs);
    expect(terms.maxDurationMs).toBe(5 * hourMs);
    expect(termsOf(short).requirement.windowMs).toBe(policyDefaults.windowMs);
  });

  test("a window longer than the default counts when it is the only one", () => {
    expect(requiring(approvalPolicy("slow", { windowMs: 48 * hourMs })).windowMs).toBe(48 * hourMs);
  });

  test("a ticket is wanted when any of them wants it; channels are told once each", () => {
    const one = approvalPolicy("one", { channels: ["slack:C1", "slack:C2"] });
    const two = approvalPolicy("two", { channels: ["slack:C2", "email:a@b.c"] }, { requireTicket: true });
    expect(termsOf(one).requireTicket).toBe(false);
    expect(termsOf(one, two).requireTicket).toBe(true);
    expect(termsOf(one, two).requirement.channels).toEqual(["slack:C1", "slack:C2", "email:a@b.c"]);
  });

  test("auto only if all are auto, and never for want of a policy", () => {
    expect(termsOf(auto).isAuto).toBe(true);
    expect(termsOf(auto, autoPolicy("other", { conditions: [always] })).isAuto).toBe(true);
    expect(termsOf(auto, staged("a", sec)).isAuto).toBe(false);
    expect(requirementOf([]).isAuto).toBe(false);
    expect(requirementOf([]).requirement).toEqual({
      demands: [],
      windowMs: policyDefaults.windowMs,
      claimWindowMs: policyDefaults.claimWindowMs,
      channels: [],
    });
  });

  test("an auto policy is on record without stages", () => {
    expect(requiring(auto, staged("a", sec)).demands.map(inWords)).toEqual(["auto: ", "a: 1 group:sec ×1"]);
  });
});

describe("stages not already demanded are added", () => {
  test.each<[string, readonly Policy[], readonly Policy[], readonly string[]]>([
    ["the same today: none", [staged("a", sec, dba)], [staged("a", sec, dba)], []],
    ["less today: none", [staged("a", sec, dba)], [staged("a", dba)], []],
    ["auto today: none", [staged("a", sec)], [auto], []],
    ["one more: that one", [staged("a", sec)], [staged("a", sec, dba)], ["a: 2 group:dba ×1"]],
    ["put first: still behind", [staged("a", sec)], [staged("a", dba, sec)], ["a: 2 group:dba ×1"]],
    ["more people of the same", [staged("a", dba)], [staged("a", twoDba)], ["a: 2 group:dba ×1"]],
    ["fewer people of the same: none", [staged("a", twoDba)], [staged("a", dba)], []],
    ["the same stage twice counts twice", [staged("a", sec)], [staged("a", sec, sec)], ["a: 2 group:sec ×1"]],
    [
      "selectors in another order: none",
      [staged("a", stageBy("group:dba manager"))],
      [staged("a", stageBy("manager group:dba"))],
      [],
    ],
    [
      "other selectors",
      [staged("a", stageBy("group:dba manager"))],
      [staged("a", dba)],
      ["a: 2 group:dba ×1"],
    ],
    ["another policy wants the same: none", [staged("a", sec, dba)], [staged("b", dba, sec)], []],
    ["another policy wants something else", [staged("a", sec)], [staged("b", dba)], ["b: 2 group:dba ×1"]],
    [
      "two others want the same: once",
      [staged("a", sec)],
      [staged("b", dba), staged("c", dba)],
      ["b: 2 group:dba ×1"],
    ],
    [
      "numbers run on over several",
      [staged("a", sec)],
      [staged("b", dba), staged("c", cto)],
      ["b: 2 group:dba ×1", "c: 3 cto@company.com ×1"],
    ],
    ["what was auto now asks", [auto, staged("a", sec)], [staged("auto", dba)], ["auto: 2 group:dba ×1"]],
    ["all of it demanded elsewhere: none", [staged("a", sec), staged("b", dba)], [staged("a", dba)], []],
    [
      "half of it demanded elsewhere: its own demand grows",
      [staged("a", sec), staged("b", dba)],
      [staged("a", sec, dba)],
      ["a: 3 group:dba ×1"],
    ],
    [
      "two halves in two demands do not make a whole",
      [staged("a", sec), staged("b", dba)],
      [staged("c", sec, dba)],
      ["a: 3 group:dba ×1", "c: "],
    ],
  ])("%s", (_, frozen, current, expected) => {
    expect(missing(requiring(...frozen), requiring(...current))).toEqual(expected);
  });
});

describe("each stage is looked for in one demand at a time", () => {
  test("each frozen stage stands for the one that leaves the fewest over", () => {
    const frozen = requiring(staged("a", twoDba, dba));
    expect(missing(frozen, requiring(staged("a", dba, twoDba)))).toEqual([]);
    expect(missing(frozen, requiring(staged("a", twoDba, twoDba)))).toEqual(["a: 3 group:dba ×1"]);
  });

  test("the rest of a policy partly demanded elsewhere joins there, so that nobody counts twice for it", () => {
    const frozen = requiring(staged("a", sec));
    const current = requiring(staged("b", sec, dba));
    const grown = withAdded(frozen, missingDemands(frozen, current));
    expect(grown.demands.map(inWords)).toEqual(["a: 1 group:sec ×1 | 2 group:dba ×1", "b: "]);
    expect(missingDemands(grown, current)).toEqual([]);
  });
});

describe("where a stage may be decided", () => {
  const via = (...doors: readonly ("slack" | "teams" | "api")[]): Policy =>
    staged("a", { ...dba, via: doors });
  const everywhere = staged("a", dba);
  test.each<[string, Policy, Policy, boolean]>([
    ["narrower today", everywhere, via("slack"), true],
    ["wider today", via("slack"), everywhere, false],
    ["another door", via("slack"), via("teams"), true],
    ["one more door", via("slack"), via("slack", "teams"), false],
    ["every door by name", everywhere, via("slack", "teams", "api"), false],
  ])("%s", (_, frozen, current, isAdded) => {
    expect(missing(requiring(frozen), requiring(current)).length > 0).toBe(isAdded);
  });
});

describe("added demands", () => {
  const frozen = requiring(staged("a", sec), staged("b", dba));

  test("join their own policy's, with its newer version and name and all its scopes", () => {
    const renamed = { ...staged("a", sec, cto), name: "renamed", version: 4 };
    const current = requirementOf([{ scope: readC, policy: renamed }]).requirement;
    const grown = withAdded(frozen, missingDemands(frozen, current));
    expect(grown.demands.map(inWords)).toEqual([
      "renamed: 1 group:sec ×1 | 3 cto@company.com ×1",
      "b: 2 group:dba ×1",
    ]);
    expect(grown.demands[0]?.policyVersion).toBe(4);
    expect(grown.demands[0]?.scopes).toEqual([scopeOf("read:0"), readC]);
  });

  test("stand at the end when their policy is new", () => {
    const grown = withAdded(frozen, missingDemands(frozen, requiring(staged("c", cto))));
    expect(grown.demands.map((demand) => demand.policyName)).toEqual(["a", "b", "c"]);
  });

  test("leave deadlines and channels as they were frozen", () => {
    const grown = withAdded(frozen, missingDemands(frozen, requiring(staged("c", cto))));
    expect({ ...grown, demands: frozen.demands }).toEqual(frozen);
  });

  test("stages are listed by number, whichever demand they joined", () => {
    const grown = withAdded(frozen, missingDemands(frozen, requiring(staged("a", sec, cto))));
    expect(stagesOf(grown).map((stage) => stage.number)).toEqual([1, 2, 3]);
  });
});

const anyGoverning = fc
  .uniqueArray(
    fc.record({
      name: fc.constantFrom("a", "b", "c", "d"),
      stages: fc.array(anyStage, { maxLength: 3 }),
    }),
    { selector: (one) => one.name, maxLength: 4 },
  )
  .map((all) =>
    all.map(({ name, stages }) =>
      stages.length === 0 ? autoPolicy(name, { conditions: [always] }) : staged(name, ...stages),
    ),
  );

const rulesOf = (requirement: Requirement): readonly string[] =>
  stagesOf(requirement)
    .map((stage) => JSON.stringify({ ...stage, number: 0 }))
    .toSorted();

describe("over any policies", () => {
  test("adding a policy never removes a demanded stage and never lengthens a time", () => {
    fc.assert(
      fc.property(anyGoverning, fc.array(anyStage, { minLength: 1, maxLength: 3 }), (policies, stages) => {
        const before = termsOf(...policies, staged("first", sec));
        const after = termsOf(...policies, staged("first", sec), staged("more", ...stages));
        const left = [...rulesOf(after.requirement)];
        for (const rule of rulesOf(before.requirement)) {
          expect(left).toContain(rule);
          left.splice(left.indexOf(rule), 1);
        }
        expect(left).toHaveLength(stages.length);
        expect(after.maxDurationMs).toBeLessThanOrEqual(before.maxDurationMs);
      }),
    );
  });

  test("asking today's policies drops nothing frozen and numbers no stage twice", () => {
    fc.assert(
      fc.property(anyGoverning, anyGoverning, (then, now) => {
        const frozen = requiring(...then);
        const grown = withAdded(frozen, missingDemands(frozen, requiring(...now)));
        for (const stage of stagesOf(frozen)) expect(stagesOf(grown)).toContainEqual(stage);
        const numbers = stagesOf(grown).map((stage) => stage.number);
        expect(numbers).toEqual(numbers.map((_, place) => place + 1));
      }),
    );
  });

  test("asking them again adds nothing more", () => {
    fc.assert(
      fc.property(anyGoverning, anyGoverning, (then, now) => {
        const frozen = requiring(...then);
        const grown = withAdded(frozen, missingDemands(frozen, requiring(...now)));
        expect(missingDemands(grown, requiring(...now))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test("every policy of today ends wholly inside one demand, where each person counts once", () => {
    fc.assert(
      fc.property(anyGoverning, anyGoverning, (then, now) => {
        const frozen = requiring(...then);
        const current = requiring(...now);
        const grown = withAdded(frozen, missingDemands(frozen, current));
        for (const demand of current.demands) {
          const isWhole = grown.demands.some(
            (one) =>
              missingDemands({ ...grown, demands: [one] }, { ...current, demands: [demand] }).length === 0,
          );
          expect(isWhole || demand.stages.length === 0).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

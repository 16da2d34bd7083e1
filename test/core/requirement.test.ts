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
const requirementFrom = (...policies: readonly Policy[]): Requirement => termsOf(...policies).requirement;
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
  test("each once, ordered by the first scope it governs, with all its scopes; stage numbers continue", () => {
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

  test("stages are frozen as they were written", () => {
    const rule = stageBy("manager", {
      required: 2,
      slaMs: 30 * minuteMs,
      remindersMs: [15 * minuteMs],
      escalateTo: [[{ kind: "group", group: "leadership" }]],
      via: ["slack"],
    });
    expect(stagesOf(requirementFrom(staged("a", rule)))).toEqual([{ ...rule, number: 1 }]);
  });

  test("the shortest of each time counts; the window only of approval policies", () => {
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

  test("a single window counts even if it is longer than the default", () => {
    expect(requirementFrom(approvalPolicy("slow", { windowMs: 48 * hourMs })).windowMs).toBe(48 * hourMs);
  });

  test("a ticket is required if any policy requires it; each channel is listed once", () => {
    const one = approvalPolicy("one", { channels: ["slack:C1", "slack:C2"] });
    const two = approvalPolicy("two", { channels: ["slack:C2", "email:a@b.c"] }, { requireTicket: true });
    expect(termsOf(one).requireTicket).toBe(false);
    expect(termsOf(one, two).requireTicket).toBe(true);
    expect(termsOf(one, two).requirement.channels).toEqual(["slack:C1", "slack:C2", "email:a@b.c"]);
  });

  test("automatic only if all are auto, and never without a policy", () => {
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

  test("an auto policy is recorded without stages", () => {
    expect(requirementFrom(auto, staged("a", sec)).demands.map(inWords)).toEqual([
      "auto: ",
      "a: 1 group:sec ×1",
    ]);
  });
});

describe("stages that are not yet required are added:", () => {
  test.each<[string, readonly Policy[], readonly Policy[], readonly string[]]>([
    ["the same now: none", [staged("a", sec, dba)], [staged("a", sec, dba)], []],
    ["less now: none", [staged("a", sec, dba)], [staged("a", dba)], []],
    ["auto now: none", [staged("a", sec)], [auto], []],
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
    ["another policy requires the same: none", [staged("a", sec, dba)], [staged("b", dba, sec)], []],
    ["another policy requires something else", [staged("a", sec)], [staged("b", dba)], ["b: 2 group:dba ×1"]],
    [
      "two others require the same: once",
      [staged("a", sec)],
      [staged("b", dba), staged("c", dba)],
      ["b: 2 group:dba ×1"],
    ],
    [
      "numbers continue across several",
      [staged("a", sec)],
      [staged("b", dba), staged("c", cto)],
      ["b: 2 group:dba ×1", "c: 3 cto@company.com ×1"],
    ],
    [
      "an auto policy that now requires approval",
      [auto, staged("a", sec)],
      [staged("auto", dba)],
      ["auto: 2 group:dba ×1"],
    ],
    ["all of it required elsewhere: none", [staged("a", sec), staged("b", dba)], [staged("a", dba)], []],
    [
      "half of it required elsewhere: its own demand grows",
      [staged("a", sec), staged("b", dba)],
      [staged("a", sec, dba)],
      ["a: 3 group:dba ×1"],
    ],
    [
      "two halves in two demands do not cover it",
      [staged("a", sec), staged("b", dba)],
      [staged("c", sec, dba)],
      ["a: 3 group:dba ×1", "c: "],
    ],
  ])("%s", (_, frozen, current, expected) => {
    expect(missing(requirementFrom(...frozen), requirementFrom(...current))).toEqual(expected);
  });
});

describe("each policy is compared with one demand at a time:", () => {
  test("frozen stages are matched so that the fewest remain", () => {
    const frozen = requirementFrom(staged("a", twoDba, dba));
    expect(missing(frozen, requirementFrom(staged("a", dba, twoDba)))).toEqual([]);
    expect(missing(frozen, requirementFrom(staged("a", twoDba, twoDba)))).toEqual(["a: 3 group:dba ×1"]);
  });

  test("the rest of a policy that another demand covers in part joins that demand, so that nobody counts twice", () => {
    const frozen = requirementFrom(staged("a", sec));
    const current = requirementFrom(staged("b", sec, dba));
    const grown = withAdded(frozen, missingDemands(frozen, current));
    expect(grown.demands.map(inWords)).toEqual(["a: 1 group:sec ×1 | 2 group:dba ×1", "b: "]);
    expect(missingDemands(grown, current)).toEqual([]);
  });
});

describe("a stage is added again unless its frozen surfaces are among the current ones:", () => {
  const via = (...surfaces: readonly ("slack" | "teams" | "api")[]): Policy =>
    staged("a", { ...dba, via: surfaces });
  const everywhere = staged("a", dba);
  test.each<[string, Policy, Policy, boolean]>([
    ["narrower now", everywhere, via("slack"), true],
    ["wider now", via("slack"), everywhere, false],
    ["another surface", via("slack"), via("teams"), true],
    ["one more surface", via("slack"), via("slack", "teams"), false],
    ["every surface by name", everywhere, via("slack", "teams", "api"), false],
  ])("%s", (_, frozen, current, isAdded) => {
    expect(missing(requirementFrom(frozen), requirementFrom(current)).length > 0).toBe(isAdded);
  });
});

describe("added demands", () => {
  const frozen = requirementFrom(staged("a", sec), staged("b", dba));

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

  test("come last when their policy is new", () => {
    const grown = withAdded(frozen, missingDemands(frozen, requirementFrom(staged("c", cto))));
    expect(grown.demands.map((demand) => demand.policyName)).toEqual(["a", "b", "c"]);
  });

  test("do not change frozen deadlines and channels", () => {
    const grown = withAdded(frozen, missingDemands(frozen, requirementFrom(staged("c", cto))));
    expect({ ...grown, demands: frozen.demands }).toEqual(frozen);
  });

  test("are listed by stage number, whichever demand they joined", () => {
    const grown = withAdded(frozen, missingDemands(frozen, requirementFrom(staged("a", sec, cto))));
    expect(stagesOf(grown).map((stage) => stage.number)).toEqual([1, 2, 3]);
  });
});

const anyGoverning = fc
  .uniqueArray(
    fc.record({
      name: fc.constantFrom("a", "b", "c", "d"),
      stages: fc.array(anyStage, { maxLength: 3 }),
    }),
    { selector: ({ name }) => name, maxLength: 4 },
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

describe("for any policies:", () => {
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

  test("adding current policies drops no frozen stage and numbers no stage twice", () => {
    fc.assert(
      fc.property(anyGoverning, anyGoverning, (then, now) => {
        const frozen = requirementFrom(...then);
        const grown = withAdded(frozen, missingDemands(frozen, requirementFrom(...now)));
        for (const stage of stagesOf(frozen)) expect(stagesOf(grown)).toContainEqual(stage);
        const numbers = stagesOf(grown).map((stage) => stage.number);
        expect(numbers).toEqual(numbers.map((_, place) => place + 1));
      }),
    );
  });

  test("adding them again adds nothing", () => {
    fc.assert(
      fc.property(anyGoverning, anyGoverning, (then, now) => {
        const frozen = requirementFrom(...then);
        const grown = withAdded(frozen, missingDemands(frozen, requirementFrom(...now)));
        expect(missingDemands(grown, requirementFrom(...now))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test("every current policy ends up in one demand, where each person counts once", () => {
    fc.assert(
      fc.property(anyGoverning, anyGoverning, (then, now) => {
        const frozen = requirementFrom(...then);
        const current = requirementFrom(...now);
        const grown = withAdded(frozen, missingDemands(frozen, current));
        for (const demand of current.demands) {
          const isWhole = grown.demands.some(
            (candidate) =>
              missingDemands({ ...grown, demands: [candidate] }, { ...current, demands: [demand] }).length ===
              0,
          );
          expect(isWhole || demand.stages.length === 0).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

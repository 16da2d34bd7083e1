import { describe, expect, test } from "vitest";
import { assertPresent } from "../../src/core/values/assert.ts";
import { isRefusal } from "../../src/core/values/refusals.ts";
import { hourMs, minuteMs, plus } from "../../src/core/values/time.ts";
import { approvalPolicy, autoPolicy, denyPolicy, mondayNoon, stageBy } from "./support/policies.ts";
import {
  after,
  decide,
  idOf,
  outcomeOf,
  people,
  person,
  play,
  submitted,
  world,
  type Command,
  startedGrant,
} from "./support/decision-setup.ts";

const approve = (by: string, more: Partial<Extract<Command, { do: "approve" }>> = {}): Command => ({
  do: "approve",
  by,
  ...more,
});
const extend = (durationMs: number): Command => ({ do: "extend", durationMs });

describe("the press that would complete it asks today's policies", () => {
  const before = world(approvalPolicy("p", { stages: [stageBy("group:dba")] }));

  test("a deny of today denies the request", () => {
    const current = world(denyPolicy("frozen zone"), ...before.policies);
    expect(outcomeOf(decide(current, submitted(before), approve("ann"), mondayNoon))).toBe(
      "ApprovalGiven RequestDenied",
    );
  });

  test("nothing that governs any more denies the request", () => {
    const current = { ...before, policies: [] };
    expect(outcomeOf(decide(current, submitted(before), approve("ann"), mondayNoon))).toBe(
      "ApprovalGiven RequestDenied",
    );
  });

  test("stages of today are added, votes stand, and the revision changes", () => {
    const current = world(
      approvalPolicy("p", { stages: [stageBy("group:dba"), stageBy("group:security")] }, { version: 2 }),
    );
    const asked = submitted(before);
    const once = play(current, asked, [[approve("ann")]]);
    expect(once.request.phase).toBe("PENDING");
    expect(once.request.revision).not.toBe(asked.request.revision);
    expect(once.request.asked.filter((one) => one.stage === 2).map((one) => one.identityId)).toEqual([
      idOf("sec"),
      idOf("sam"),
    ]);
    expect(outcomeOf(decide(current, once, approve("ann"), mondayNoon))).toBe("already_voted");
    expect(play(current, once, [[approve("sec")]]).request.phase).toBe("APPROVED");
  });

  test("one more person of the same group is one more approval, not a new round", () => {
    const current = world(
      approvalPolicy("p", { stages: [stageBy("group:dba", { required: 2 })] }, { version: 2 }),
    );
    const once = play(current, submitted(before), [[approve("ann")]]);
    expect(once.request.phase).toBe("PENDING");
    expect(play(current, once, [[approve("bob")]]).request.phase).toBe("APPROVED");
  });

  test("nothing frozen is dropped when today asks for less", () => {
    const strict = world(approvalPolicy("p", { stages: [stageBy("group:dba"), stageBy("group:security")] }));
    const once = play(before, submitted(strict), [[approve("ann")]]);
    expect(once.request.phase).toBe("PENDING");
  });

  test("a spent policy refuses the press and keeps the request pending", () => {
    const current = { ...before, spent: ["p"] };
    expect(outcomeOf(decide(current, submitted(before), approve("ann"), mondayNoon))).toBe("limit_reached");
  });

  test("a shorter maximum of today refuses the press until somebody approves for less", () => {
    const current = world(
      approvalPolicy("p", { stages: [stageBy("group:dba")] }, { maxDurationMs: hourMs, version: 2 }),
    );
    const asked = submitted(before);
    expect(outcomeOf(decide(current, asked, approve("ann"), mondayNoon))).toBe("duration_exceeds_policy");
    expect(outcomeOf(decide(current, asked, approve("ann", { durationMs: hourMs }), mondayNoon))).toBe(
      "ApprovalGiven RequestApproved",
    );
  });

  test("a press on terms that have changed is refused", () => {
    expect(
      outcomeOf(decide(before, submitted(before), approve("ann", { revision: "older" }), mondayNoon)),
    ).toBe("request_changed");
  });

  test("an inactive subject is not approved", () => {
    const gone = {
      ...before,
      people: people.map((one) => (one.id === idOf("dev") ? { ...one, enabled: false } : one)),
    };
    expect(outcomeOf(decide(gone, submitted(before), approve("ann"), mondayNoon))).toBe("identity_inactive");
  });
});

describe("the claim asks today's policies", () => {
  const before = world(approvalPolicy("p", { stages: [stageBy("group:dba")] }));
  const approved = play(before, submitted(before), [[approve("ann")]]);
  const claim: Command = { do: "claim", by: "dev" };

  test.each([
    ["a deny of today", world(denyPolicy("no"), ...before.policies), "policy_denied"],
    ["a lockdown", { ...before, lockdown: true }, "policy_denied"],
    [
      "an inactive subject",
      {
        ...before,
        people: people.map((one) => (one.id === idOf("dev") ? person("dev", { enabled: false }) : one)),
      },
      "identity_inactive",
    ],
    ["a policy that is gone: not a denial", { ...before, policies: [] }, "RequestClaimed GrantStarted"],
  ])("%s", (_, current, expected) => {
    expect(outcomeOf(decide(current, approved, claim, mondayNoon))).toBe(expected);
  });
});

describe("extensions", () => {
  const testWorld = world(
    approvalPolicy("p", { stages: [stageBy("group:dba")] }, { maxDurationMs: 6 * hourMs }),
  );
  const active = play(testWorld, submitted(testWorld), [[approve("ann")], [{ do: "claim", by: "dev" }]]);
  const child = (() => {
    const decision = decide(testWorld, active, extend(hourMs), plus(mondayNoon, hourMs));
    if (isRefusal(decision)) throw new Error(decision.detail);
    const extension = assertPresent(after(active, decision).extension, "an extension");
    return { request: extension, ...(active.grant && { grant: active.grant }), parent: active.request };
  })();

  test("policies judge the total", () => {
    expect(outcomeOf(decide(testWorld, active, extend(3 * hourMs), mondayNoon))).toBe(
      "duration_exceeds_policy",
    );
    expect(outcomeOf(decide(testWorld, active, extend(2 * hourMs), mondayNoon))).toBe("RequestSubmitted");
  });

  test("are decided by the parent's end at the latest", () => {
    expect(child.request.approvalDeadline).toBe(startedGrant(active).expiresAt);
  });

  test("approved, they move the end and complete in the same step", () => {
    const decision = decide(testWorld, child, approve("ann"), plus(mondayNoon, 2 * hourMs));
    expect(outcomeOf(decision)).toBe("ApprovalGiven RequestApproved ExtensionCompleted GrantExtended");
    if (isRefusal(decision)) return;
    const done = after(child, decision);
    expect(done.request.phase).toBe("COMPLETED");
    expect(startedGrant(done).expiresAt).toBe(plus(mondayNoon, 5 * hourMs));
  });

  test("approved for less, they move it by less", () => {
    const decision = decide(
      testWorld,
      child,
      approve("ann", { durationMs: 10 * minuteMs }),
      plus(mondayNoon, 2 * hourMs),
    );
    if (isRefusal(decision)) throw new Error(decision.detail);
    expect(startedGrant(after(child, decision)).expiresAt).toBe(plus(mondayNoon, 4 * hourMs + 10 * minuteMs));
  });

  test("during a lockdown neither asked nor completed", () => {
    expect(outcomeOf(decide({ ...testWorld, lockdown: true }, active, extend(hourMs), mondayNoon))).toBe(
      "policy_denied",
    );
    expect(
      outcomeOf(
        decide({ ...testWorld, lockdown: true }, child, approve("ann"), plus(mondayNoon, 2 * hourMs)),
      ),
    ).toBe("policy_denied");
  });

  test("end with a parent that ends early", () => {
    const both = { ...active, extension: child.request };
    expect(outcomeOf(decide(testWorld, both, { do: "complete", by: "dev" }, mondayNoon))).toBe(
      "GrantCompleted RequestCancelled",
    );
    expect(outcomeOf(decide(testWorld, both, { do: "revoke", by: "ann" }, mondayNoon))).toBe(
      "GrantRevoked RequestCancelled",
    );
  });

  test("approved by policy, they are done at once and carry no credential", () => {
    const auto = world(
      autoPolicy("auto", { conditions: [{ type: "DURATION", operator: "LESS_THAN", valueMs: 6 * hourMs }] }),
    );
    const running = play(auto, submitted(auto), [[{ do: "claim", by: "dev" }]]);
    expect(outcomeOf(decide(auto, running, extend(hourMs), mondayNoon))).toBe(
      "RequestSubmitted RequestAutoApproved ExtensionCompleted GrantExtended",
    );
    expect(outcomeOf(decide(auto, running, extend(3 * hourMs), mondayNoon))).toBe("policy_denied");
  });
});

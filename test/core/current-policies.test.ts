import { describe, expect, test } from "vitest";
import { assertPresent } from "../../src/core/values/assert.ts";
import { isRefusal } from "../../src/core/values/refusals.ts";
import { hourMs, minuteMs, plus } from "../../src/core/values/time.ts";
import { approvalPolicy, autoPolicy, denyPolicy, mondayNoon, stageBy } from "./support/policies.ts";
import {
  applyEvents,
  decide,
  idOf,
  outcomeOf,
  people,
  person,
  play,
  submitOrThrow,
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

describe("the approval that would complete a request re-evaluates current policies:", () => {
  const before = world(approvalPolicy("p", { stages: [stageBy("group:dba")] }));

  test("a current deny policy denies the request", () => {
    const current = world(denyPolicy("frozen zone"), ...before.policies);
    expect(outcomeOf(decide(current, submitOrThrow(before), approve("ann"), mondayNoon))).toBe(
      "ApprovalGiven RequestDenied",
    );
  });

  test("a scope without a current policy denies the request", () => {
    const current = { ...before, policies: [] };
    expect(outcomeOf(decide(current, submitOrThrow(before), approve("ann"), mondayNoon))).toBe(
      "ApprovalGiven RequestDenied",
    );
  });

  test("current stages are added, votes stay, and the revision changes", () => {
    const current = world(
      approvalPolicy("p", { stages: [stageBy("group:dba"), stageBy("group:security")] }, { version: 2 }),
    );
    const asked = submitOrThrow(before);
    const once = play(current, asked, [[approve("ann")]]);
    expect(once.request.phase).toBe("PENDING");
    expect(once.request.revision).not.toBe(asked.request.revision);
    expect(once.request.asked.filter(({ stage }) => stage === 2).map(({ identityId }) => identityId)).toEqual(
      [idOf("sec"), idOf("sam")],
    );
    expect(outcomeOf(decide(current, once, approve("ann"), mondayNoon))).toBe("already_voted");
    expect(play(current, once, [[approve("sec")]]).request.phase).toBe("APPROVED");
  });

  test("a higher `required` adds one approval, not a new round", () => {
    const current = world(
      approvalPolicy("p", { stages: [stageBy("group:dba", { required: 2 })] }, { version: 2 }),
    );
    const once = play(current, submitOrThrow(before), [[approve("ann")]]);
    expect(once.request.phase).toBe("PENDING");
    expect(play(current, once, [[approve("bob")]]).request.phase).toBe("APPROVED");
  });

  test("no frozen stage is dropped when current policies require less", () => {
    const strict = world(approvalPolicy("p", { stages: [stageBy("group:dba"), stageBy("group:security")] }));
    const once = play(before, submitOrThrow(strict), [[approve("ann")]]);
    expect(once.request.phase).toBe("PENDING");
  });

  test("an exhausted policy refuses the approval and keeps the request pending", () => {
    const current = { ...before, spent: ["p"] };
    expect(outcomeOf(decide(current, submitOrThrow(before), approve("ann"), mondayNoon))).toBe(
      "limit_reached",
    );
  });

  test("a shorter current maximum refuses approvals until somebody approves for less", () => {
    const current = world(
      approvalPolicy("p", { stages: [stageBy("group:dba")] }, { maxDurationMs: hourMs, version: 2 }),
    );
    const asked = submitOrThrow(before);
    expect(outcomeOf(decide(current, asked, approve("ann"), mondayNoon))).toBe("duration_exceeds_policy");
    expect(outcomeOf(decide(current, asked, approve("ann", { durationMs: hourMs }), mondayNoon))).toBe(
      "ApprovalGiven RequestApproved",
    );
  });

  test("an approval of an older revision is refused", () => {
    expect(
      outcomeOf(decide(before, submitOrThrow(before), approve("ann", { revision: "older" }), mondayNoon)),
    ).toBe("request_changed");
  });

  test("an inactive subject is not approved", () => {
    const withInactiveSubject = {
      ...before,
      people: people.map((member) => (member.id === idOf("dev") ? { ...member, enabled: false } : member)),
    };
    expect(outcomeOf(decide(withInactiveSubject, submitOrThrow(before), approve("ann"), mondayNoon))).toBe(
      "identity_inactive",
    );
  });
});

describe("the claim re-evaluates current policies:", () => {
  const before = world(approvalPolicy("p", { stages: [stageBy("group:dba")] }));
  const approved = play(before, submitOrThrow(before), [[approve("ann")]]);
  const claim: Command = { do: "claim", by: "dev" };

  test.each([
    ["a current deny policy", world(denyPolicy("no"), ...before.policies), "policy_denied"],
    ["a lockdown", { ...before, lockdown: true }, "policy_denied"],
    [
      "an inactive subject",
      {
        ...before,
        people: people.map((member) =>
          member.id === idOf("dev") ? person("dev", { enabled: false }) : member,
        ),
      },
      "identity_inactive",
    ],
    ["a deleted policy is no denial", { ...before, policies: [] }, "RequestClaimed GrantStarted"],
  ])("%s", (_, current, expected) => {
    expect(outcomeOf(decide(current, approved, claim, mondayNoon))).toBe(expected);
  });
});

describe("extensions", () => {
  const testWorld = world(
    approvalPolicy("p", { stages: [stageBy("group:dba")] }, { maxDurationMs: 6 * hourMs }),
  );
  const active = play(testWorld, submitOrThrow(testWorld), [[approve("ann")], [{ do: "claim", by: "dev" }]]);
  const child = (() => {
    const decision = decide(testWorld, active, extend(hourMs), plus(mondayNoon, hourMs));
    if (isRefusal(decision)) throw new Error(decision.detail);
    const extension = assertPresent(applyEvents(active, decision).extension, "an extension");
    return { request: extension, ...(active.grant && { grant: active.grant }), parent: active.request };
  })();

  test("policies evaluate the total duration", () => {
    expect(outcomeOf(decide(testWorld, active, extend(3 * hourMs), mondayNoon))).toBe(
      "duration_exceeds_policy",
    );
    expect(outcomeOf(decide(testWorld, active, extend(2 * hourMs), mondayNoon))).toBe("RequestSubmitted");
  });

  test("their approval deadline is the parent's end at the latest", () => {
    expect(child.request.approvalDeadline).toBe(startedGrant(active).expiresAt);
  });

  test("an approved extension extends the grant and completes in the same step", () => {
    const decision = decide(testWorld, child, approve("ann"), plus(mondayNoon, 2 * hourMs));
    expect(outcomeOf(decision)).toBe("ApprovalGiven RequestApproved ExtensionCompleted GrantExtended");
    if (isRefusal(decision)) return;
    const done = applyEvents(child, decision);
    expect(done.request.phase).toBe("COMPLETED");
    expect(startedGrant(done).expiresAt).toBe(plus(mondayNoon, 5 * hourMs));
  });

  test("an extension approved for less extends the grant by less", () => {
    const decision = decide(
      testWorld,
      child,
      approve("ann", { durationMs: 10 * minuteMs }),
      plus(mondayNoon, 2 * hourMs),
    );
    if (isRefusal(decision)) throw new Error(decision.detail);
    expect(startedGrant(applyEvents(child, decision)).expiresAt).toBe(
      plus(mondayNoon, 4 * hourMs + 10 * minuteMs),
    );
  });

  test("a lockdown blocks requesting and completing them", () => {
    expect(outcomeOf(decide({ ...testWorld, lockdown: true }, active, extend(hourMs), mondayNoon))).toBe(
      "policy_denied",
    );
    expect(
      outcomeOf(
        decide({ ...testWorld, lockdown: true }, child, approve("ann"), plus(mondayNoon, 2 * hourMs)),
      ),
    ).toBe("policy_denied");
  });

  test("an open extension ends with its parent", () => {
    const both = { ...active, extension: child.request };
    expect(outcomeOf(decide(testWorld, both, { do: "complete", by: "dev" }, mondayNoon))).toBe(
      "GrantCompleted RequestCancelled",
    );
    expect(outcomeOf(decide(testWorld, both, { do: "revoke", by: "ann" }, mondayNoon))).toBe(
      "GrantRevoked RequestCancelled",
    );
  });

  test("an automatically approved extension completes immediately, without a credential", () => {
    const auto = world(
      autoPolicy("auto", { conditions: [{ type: "DURATION", operator: "LESS_THAN", valueMs: 6 * hourMs }] }),
    );
    const running = play(auto, submitOrThrow(auto), [[{ do: "claim", by: "dev" }]]);
    expect(outcomeOf(decide(auto, running, extend(hourMs), mondayNoon))).toBe(
      "RequestSubmitted RequestAutoApproved ExtensionCompleted GrantExtended",
    );
    expect(outcomeOf(decide(auto, running, extend(3 * hourMs), mondayNoon))).toBe("policy_denied");
  });
});

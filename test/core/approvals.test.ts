import { describe, expect, test } from "vitest";
import { hourMs } from "../../src/core/values/time.ts";
import { approvalPolicy, autoPolicy, mondayNoon, scopeOf, stageBy } from "./support/policies.ts";
import {
  askOf,
  decide,
  directory,
  idOf,
  outcomeOf,
  people,
  play,
  submit,
  submitted,
  world,
  type Command,
} from "./support/decision-setup.ts";
import { progressOf } from "../../src/core/access/approvals.ts";

const approve = (by: string, more: Partial<Extract<Command, { do: "approve" }>> = {}): Command => ({
  do: "approve",
  by,
  ...more,
});

const voteBy = (name: string, stage: number) =>
  ({ by: idOf(name), at: mondayNoon, via: "api", decision: "APPROVED", stages: [stage] }) as const;

describe("quorum", () => {
  const two = world(approvalPolicy("two", { stages: [stageBy("group:dba", { required: 2 })] }));

  test("needs as many different people as the stage says", () => {
    const once = play(two, submitted(two), [[approve("ann")]]);
    expect(once.request.phase).toBe("PENDING");
    expect(outcomeOf(decide(two, once, approve("ann"), mondayNoon))).toBe("already_voted");
    expect(play(two, once, [[approve("bob")]]).request.phase).toBe("APPROVED");
  });

  test("approvals of people who are no longer eligible stop counting", () => {
    const once = play(two, submitted(two), [[approve("ann")]]);
    const without = {
      ...two,
      people: people.map((one) => (one.id === idOf("ann") ? { ...one, groups: [] } : one)),
    };
    const twice = play(without, once, [[approve("bob")]]);
    expect(twice.request.phase).toBe("PENDING");
    expect(play(without, twice, [[approve("cid")]]).request.phase).toBe("APPROVED");
  });

  test("approvals of people who were deactivated stop counting", () => {
    const once = play(two, submitted(two), [[approve("ann")]]);
    const without = {
      ...two,
      people: people.map((one) => (one.id === idOf("ann") ? { ...one, enabled: false } : one)),
    };
    expect(play(without, once, [[approve("bob")]]).request.phase).toBe("PENDING");
  });

  test("approvals that count again wait for one more press of anybody who decides: silence approves nothing", () => {
    const without = {
      ...two,
      people: people.map((one) => (one.id === idOf("ann") ? { ...one, groups: [] } : one)),
    };
    const twice = play(without, play(two, submitted(two), [[approve("ann")]]), [[approve("bob")]]);
    expect(play(two, twice, [[{ do: "tick" }]]).request.phase).toBe("PENDING");
    for (const name of ["ann", "bob", "cid"]) {
      expect(play(two, twice, [[approve(name)]]).request.phase).toBe("APPROVED");
    }
    expect(outcomeOf(decide(two, twice, approve("sec"), mondayNoon))).toBe("not_an_approver");
  });

  test("a service never decides, even as a member of the group", () => {
    expect(outcomeOf(decide(two, submitted(two), approve("bot"), mondayNoon))).toBe("not_an_approver");
  });

  test("who asked for somebody else does not decide it either", () => {
    const asked = submitted(two, askOf({ requestedById: idOf("ann") }));
    expect(outcomeOf(decide(two, asked, approve("ann"), mondayNoon))).toBe("self_approval");
    expect(asked.request.asked.map((one) => one.identityId)).toEqual([idOf("bob"), idOf("cid")]);
  });

  test("a stage that cannot be met without the requester refuses the request", () => {
    const lonely = world(approvalPolicy("lonely", { stages: [stageBy("dev@company.com")] }));
    expect(outcomeOf(submit(lonely))).toBe("no_approvers");
    const few = world(approvalPolicy("few", { stages: [stageBy("group:security", { required: 3 })] }));
    expect(outcomeOf(submit(few))).toBe("no_approvers");
  });

  test("two stages that only one person could meet are refused, as a person counts once per policy", () => {
    const same = world(
      approvalPolicy("same", { stages: [stageBy("cto@company.com"), stageBy("cto@company.com")] }),
    );
    expect(outcomeOf(submit(same))).toBe("no_approvers");
    const twoPeople = world(
      approvalPolicy("two people", {
        stages: [stageBy("cto@company.com manager"), stageBy("cto@company.com")],
      }),
    );
    expect(outcomeOf(submit(twoPeople))).toBe("RequestSubmitted");
  });

  test("people that only an escalation brings make a stage reachable", () => {
    const later = approvalPolicy("later", {
      stages: [
        stageBy("dev@company.com", {
          slaMs: hourMs,
          escalateTo: [[{ kind: "email", email: "cto@company.com" }]],
        }),
      ],
    });
    expect(outcomeOf(submit(world(later)))).toBe("RequestSubmitted");
  });
});

describe("stages of one policy", () => {
  const staged = world(
    approvalPolicy("staged", { stages: [stageBy("group:dba manager"), stageBy("group:security manager")] }),
  );

  test("run in order", () => {
    const first = submitted(staged);
    expect(outcomeOf(decide(staged, first, approve("sec"), mondayNoon))).toBe("stage_not_open");
    const second = play(staged, first, [[approve("ann")]]);
    expect(second.request.openings.map((one) => one.stage)).toEqual([1, 2]);
    expect(play(staged, second, [[approve("sec")]]).request.phase).toBe("APPROVED");
  });

  test("count a person once over all of them", () => {
    const second = play(staged, submitted(staged), [[approve("lead")]]);
    expect(outcomeOf(decide(staged, second, approve("lead"), mondayNoon))).toBe("already_voted");
  });

  test("count a person once though they were not eligible for the first one while they approved the second", () => {
    const both = world(
      approvalPolicy("p", {
        stages: [stageBy("group:dba", { required: 2 }), stageBy("identity:id_ann")],
      }),
    );
    const dbas = (...names: readonly string[]) => ({
      ...both,
      people: people.map((one) => ({ ...one, groups: names.includes(one.name) ? ["dba"] : [] })),
    });
    const withoutAnn = dbas("bob", "cid");
    const started = play(both, submitted(both), [[approve("ann")]]);
    const nearly = play(withoutAnn, started, [[approve("bob")], [approve("cid")]]);
    expect(play(withoutAnn, nearly, [[approve("ann")]]).request.phase).toBe("APPROVED");
    const annForBob = dbas("ann", "cid");
    const [first] = progressOf(
      { ...nearly.request, votes: [...nearly.request.votes, voteBy("ann", 2)] },
      directory(annForBob),
    );
    expect(first).toMatchObject({ given: [idOf("cid")], met: false });
  });

  test("may each be denied at any time by anyone who decides any of them", () => {
    expect(outcomeOf(decide(staged, submitted(staged), { do: "deny", by: "sec" }, mondayNoon))).toBe(
      "ApprovalDenied RequestDenied",
    );
  });

  test("may be denied by somebody who approved before", () => {
    const once = play(staged, submitted(staged), [[approve("ann")]]);
    expect(outcomeOf(decide(staged, once, { do: "deny", by: "ann" }, mondayNoon))).toBe(
      "ApprovalDenied RequestDenied",
    );
  });
});

const askBoth = () => askOf({ scopes: [scopeOf("read:prod:db"), scopeOf("write:prod:db")] });

describe("several policies", () => {
  const reads = { type: "ACTION", operator: "EQUALS", value: "read" } as const;
  const writes = { type: "ACTION", operator: "EQUALS", value: "write" } as const;
  const both = world(
    approvalPolicy("reads", { stages: [stageBy("group:dba")] }, { conditions: [reads] }),
    approvalPolicy(
      "writes",
      { stages: [stageBy("ann@company.com"), stageBy("group:security")] },
      { conditions: [writes] },
    ),
  );

  test("one press counts in every policy whose open stage includes that person", () => {
    const once = play(both, submitted(both, askBoth()), [[approve("ann")]]);
    expect(once.request.votes[0]?.stages).toEqual([1, 2]);
    expect(progressOf(once.request, directory(both)).map((one) => one.met)).toEqual([true, true, false]);
    expect(play(both, once, [[approve("sec")]]).request.phase).toBe("APPROVED");
  });

  test("with one that approves by itself, only the others ask", () => {
    const mixed = world(
      autoPolicy("auto", { conditions: [reads] }),
      approvalPolicy("writes", { stages: [stageBy("group:security")] }, { conditions: [writes] }),
    );
    const asked = submitted(mixed, askBoth());
    expect(asked.request.phase).toBe("PENDING");
    expect(play(mixed, asked, [[approve("sec")]]).request.phase).toBe("APPROVED");
  });
});

describe("via", () => {
  const inSlack = world(approvalPolicy("slack only", { stages: [stageBy("group:dba", { via: ["slack"] })] }));

  test("a stage is decided only where its policy says", () => {
    const asked = submitted(inSlack);
    expect(outcomeOf(decide(inSlack, asked, approve("ann", { via: "api" }), mondayNoon))).toBe(
      "not_an_approver",
    );
    expect(outcomeOf(decide(inSlack, asked, { do: "deny", by: "ann", via: "api" }, mondayNoon))).toBe(
      "not_an_approver",
    );
    expect(outcomeOf(decide(inSlack, asked, approve("ann", { via: "slack" }), mondayNoon))).toBe(
      "ApprovalGiven RequestApproved",
    );
  });
});

describe("approving for less", () => {
  const two = world(approvalPolicy("two", { stages: [stageBy("group:dba", { required: 2 })] }));

  test("the smallest given duration counts", () => {
    const done = play(two, submitted(two), [
      [approve("ann", { durationMs: hourMs })],
      [approve("bob", { durationMs: 2 * hourMs })],
    ]);
    expect(done.request.grantedDurationMs).toBe(hourMs);
  });

  test("more than asked is refused", () => {
    expect(
      outcomeOf(decide(two, submitted(two), approve("ann", { durationMs: 5 * hourMs }), mondayNoon)),
    ).toBe("invalid_duration");
  });
});

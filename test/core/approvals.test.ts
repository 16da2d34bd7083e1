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
  submitOrThrow,
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

  test("requires as many different people as the stage says", () => {
    const once = play(two, submitOrThrow(two), [[approve("ann")]]);
    expect(once.request.phase).toBe("PENDING");
    expect(outcomeOf(decide(two, once, approve("ann"), mondayNoon))).toBe("already_voted");
    expect(play(two, once, [[approve("bob")]]).request.phase).toBe("APPROVED");
  });

  test("approvals of people who are no longer eligible stop counting", () => {
    const once = play(two, submitOrThrow(two), [[approve("ann")]]);
    const without = {
      ...two,
      people: people.map((member) => (member.id === idOf("ann") ? { ...member, groups: [] } : member)),
    };
    const twice = play(without, once, [[approve("bob")]]);
    expect(twice.request.phase).toBe("PENDING");
    expect(play(without, twice, [[approve("cid")]]).request.phase).toBe("APPROVED");
  });

  test("approvals of people who were deactivated stop counting", () => {
    const once = play(two, submitOrThrow(two), [[approve("ann")]]);
    const without = {
      ...two,
      people: people.map((member) => (member.id === idOf("ann") ? { ...member, enabled: false } : member)),
    };
    expect(play(without, once, [[approve("bob")]]).request.phase).toBe("PENDING");
  });

  test("a quorum that is complete again approves only with another approval: silence never approves", () => {
    const without = {
      ...two,
      people: people.map((member) => (member.id === idOf("ann") ? { ...member, groups: [] } : member)),
    };
    const twice = play(without, play(two, submitOrThrow(two), [[approve("ann")]]), [[approve("bob")]]);
    expect(play(two, twice, [[{ do: "tick" }]]).request.phase).toBe("PENDING");
    for (const name of ["ann", "bob", "cid"]) {
      expect(play(two, twice, [[approve(name)]]).request.phase).toBe("APPROVED");
    }
    expect(outcomeOf(decide(two, twice, approve("sec"), mondayNoon))).toBe("not_an_approver");
  });

  test("a service never decides, even as a member of the group", () => {
    expect(outcomeOf(decide(two, submitOrThrow(two), approve("bot"), mondayNoon))).toBe("not_an_approver");
  });

  test("a person who submitted for somebody else cannot decide it", () => {
    const asked = submitOrThrow(two, askOf({ requestedById: idOf("ann") }));
    expect(outcomeOf(decide(two, asked, approve("ann"), mondayNoon))).toBe("self_approval");
    expect(asked.request.asked.map(({ identityId }) => identityId)).toEqual([idOf("bob"), idOf("cid")]);
  });

  test("a request is refused if a stage cannot be met without the requester", () => {
    const lonely = world(approvalPolicy("lonely", { stages: [stageBy("dev@company.com")] }));
    expect(outcomeOf(submit(lonely))).toBe("no_approvers");
    const few = world(approvalPolicy("few", { stages: [stageBy("group:security", { required: 3 })] }));
    expect(outcomeOf(submit(few))).toBe("no_approvers");
  });

  test("two stages that only one person could meet are refused, because a person counts once per policy", () => {
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

  test("a stage is reachable if only its escalation brings enough people", () => {
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

describe("stages of one policy:", () => {
  const staged = world(
    approvalPolicy("staged", { stages: [stageBy("group:dba manager"), stageBy("group:security manager")] }),
  );

  test("they open in order", () => {
    const first = submitOrThrow(staged);
    expect(outcomeOf(decide(staged, first, approve("sec"), mondayNoon))).toBe("stage_not_open");
    const second = play(staged, first, [[approve("ann")]]);
    expect(second.request.openings.map(({ stage }) => stage)).toEqual([1, 2]);
    expect(play(staged, second, [[approve("sec")]]).request.phase).toBe("APPROVED");
  });

  test("a person counts once over all of them", () => {
    const second = play(staged, submitOrThrow(staged), [[approve("lead")]]);
    expect(outcomeOf(decide(staged, second, approve("lead"), mondayNoon))).toBe("already_voted");
  });

  test("a person who regains eligibility for the first stage does not count in both", () => {
    const both = world(
      approvalPolicy("p", {
        stages: [stageBy("group:dba", { required: 2 }), stageBy("identity:id_ann")],
      }),
    );
    const dbas = (...names: readonly string[]) => ({
      ...both,
      people: people.map((member) => ({ ...member, groups: names.includes(member.name) ? ["dba"] : [] })),
    });
    const withoutAnn = dbas("bob", "cid");
    const started = play(both, submitOrThrow(both), [[approve("ann")]]);
    const nearly = play(withoutAnn, started, [[approve("bob")], [approve("cid")]]);
    expect(play(withoutAnn, nearly, [[approve("ann")]]).request.phase).toBe("APPROVED");
    const annForBob = dbas("ann", "cid");
    const [first] = progressOf(
      { ...nearly.request, votes: [...nearly.request.votes, voteBy("ann", 2)] },
      directory(annForBob),
    );
    expect(first).toMatchObject({ given: [idOf("cid")], met: false });
  });

  test("an approver of any stage can deny at any time", () => {
    expect(outcomeOf(decide(staged, submitOrThrow(staged), { do: "deny", by: "sec" }, mondayNoon))).toBe(
      "ApprovalDenied RequestDenied",
    );
  });

  test("a person who approved can still deny", () => {
    const once = play(staged, submitOrThrow(staged), [[approve("ann")]]);
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

  test("one approval counts in every policy whose open stage includes the approver", () => {
    const once = play(both, submitOrThrow(both, askBoth()), [[approve("ann")]]);
    expect(once.request.votes[0]?.stages).toEqual([1, 2]);
    expect(progressOf(once.request, directory(both)).map(({ met }) => met)).toEqual([true, true, false]);
    expect(play(both, once, [[approve("sec")]]).request.phase).toBe("APPROVED");
  });

  test("a policy that approves automatically does not replace the others", () => {
    const mixed = world(
      autoPolicy("auto", { conditions: [reads] }),
      approvalPolicy("writes", { stages: [stageBy("group:security")] }, { conditions: [writes] }),
    );
    const asked = submitOrThrow(mixed, askBoth());
    expect(asked.request.phase).toBe("PENDING");
    expect(play(mixed, asked, [[approve("sec")]]).request.phase).toBe("APPROVED");
  });
});

describe("via", () => {
  const inSlack = world(approvalPolicy("slack only", { stages: [stageBy("group:dba", { via: ["slack"] })] }));

  test("a stage can be decided only on the surfaces its policy names", () => {
    const asked = submitOrThrow(inSlack);
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

  test("the shortest approved duration counts", () => {
    const done = play(two, submitOrThrow(two), [
      [approve("ann", { durationMs: hourMs })],
      [approve("bob", { durationMs: 2 * hourMs })],
    ]);
    expect(done.request.grantedDurationMs).toBe(hourMs);
  });

  test("more than requested is refused", () => {
    expect(
      outcomeOf(decide(two, submitOrThrow(two), approve("ann", { durationMs: 5 * hourMs }), mondayNoon)),
    ).toBe("invalid_duration");
  });
});

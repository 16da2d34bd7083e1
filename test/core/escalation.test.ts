import { describe, expect, test } from "vitest";
import { nextDueAt } from "../../src/core/access/escalation.ts";
import { minuteMs, plus } from "../../src/core/values/time.ts";
import { approvalPolicy, mondayNoon, stageBy } from "./support/policies.ts";
import { decide, idOf, outcomeOf, people, play, submitOrThrow, world } from "./support/decision-setup.ts";

const email = (name: string) => ({ kind: "email", email: `${name}@company.com` }) as const;
const testWorld = world(
  approvalPolicy("p", {
    windowMs: 240 * minuteMs,
    stages: [
      stageBy("group:dba", {
        slaMs: 30 * minuteMs,
        remindersMs: [10 * minuteMs, 20 * minuteMs],
        escalateTo: [[email("cto")], [{ kind: "group", group: "security" }, email("cto")]],
      }),
      stageBy("group:security"),
    ],
  }),
);
const at = (minutes: number) => plus(mondayNoon, minutes * minuteMs);
const tick = { do: "tick" } as const;

describe("what is due next", () => {
  test("reminders come first, then each SLA, then the end of the window", () => {
    let accessCase = submitOrThrow(testWorld);
    const seen: number[] = [];
    for (let due = nextDueAt(accessCase.request); due !== null; due = nextDueAt(accessCase.request)) {
      seen.push((due - mondayNoon) / minuteMs);
      accessCase = play(testWorld, accessCase, [[tick, due]]);
    }
    expect(seen).toEqual([10, 20, 30, 60, 240]);
    expect(accessCase.request.phase).toBe("TIMED_OUT");
  });

  test("a stage that is met sends no reminders; the next one counts from its own start", () => {
    const accessCase = play(testWorld, submitOrThrow(testWorld), [[{ do: "approve", by: "ann" }, at(5)]]);
    expect(nextDueAt(accessCase.request)).toBe(at(240));
  });
});

describe("escalation", () => {
  test("asks each person of the next list once, and lets them decide", () => {
    const once = play(testWorld, submitOrThrow(testWorld), [[tick, at(30)]]);
    expect(once.request.asked.filter(({ escalated }) => escalated)).toEqual([
      { identityId: idOf("cto"), stage: 1, escalated: true },
    ]);
    const twice = play(testWorld, once, [[tick, at(60)]]);
    expect(
      twice.request.asked.filter(({ escalated }) => escalated).map(({ identityId }) => identityId),
    ).toEqual([idOf("cto"), idOf("sec"), idOf("sam")]);
    expect(outcomeOf(decide(testWorld, twice, { do: "approve", by: "cto" }, at(61)))).toBe("ApprovalGiven");
  });

  test("lets nobody decide before its time", () => {
    expect(outcomeOf(decide(testWorld, submitOrThrow(testWorld), { do: "approve", by: "cto" }, at(29)))).toBe(
      "not_an_approver",
    );
    expect(outcomeOf(decide(testWorld, submitOrThrow(testWorld), { do: "deny", by: "cto" }, at(29)))).toBe(
      "not_an_approver",
    );
  });

  test("missed during an outage is made up at once", () => {
    expect(outcomeOf(decide(testWorld, submitOrThrow(testWorld), tick, at(90)))).toBe(
      "ApprovalReminded ApprovalEscalated ApprovalEscalated",
    );
    const caughtUp = play(testWorld, submitOrThrow(testWorld), [[tick, at(90)]]);
    expect(outcomeOf(decide(testWorld, caughtUp, tick, at(91)))).toBe("nothing");
  });

  test("after the window, only the time-out happens", () => {
    expect(outcomeOf(decide(testWorld, submitOrThrow(testWorld), tick, at(240)))).toBe("RequestTimedOut");
  });

  test("reminds only people who have not decided", () => {
    const two = world(
      approvalPolicy("p", { stages: [stageBy("group:dba", { required: 2, remindersMs: [minuteMs] })] }),
    );
    const once = play(two, submitOrThrow(two), [[{ do: "approve", by: "ann" }]]);
    const decision = decide(two, once, tick, at(1));
    const event = "refused" in decision ? undefined : decision[0]?.event;
    expect(
      event?.type === "ApprovalReminded" ? event.people.map(({ identityId }) => identityId) : [],
    ).toEqual([idOf("bob"), idOf("cid")]);
  });
});

test("people who left the group are not reminded, people who joined it are", () => {
  const reminding = world(
    approvalPolicy("p", { stages: [stageBy("group:dba", { remindersMs: [minuteMs] })] }),
  );
  const changed = {
    ...reminding,
    people: people.map((member) => ({
      ...member,
      groups: ["bob", "cto"].includes(member.name) ? ["dba"] : [],
    })),
  };
  const decision = decide(changed, submitOrThrow(reminding), tick, at(1));
  const event = "refused" in decision ? undefined : decision[0]?.event;
  expect(event?.type === "ApprovalReminded" ? event.people.map(({ identityId }) => identityId) : []).toEqual([
    idOf("bob"),
    idOf("cto"),
  ]);
});

test("a stage sends at most three reminders within an hour", () => {
  const often = world(
    approvalPolicy("p", {
      stages: [
        stageBy("group:dba", {
          remindersMs: [5, 10, 15, 20, 25, 65, 70].map((minutes) => minutes * minuteMs),
        }),
      ],
    }),
  );
  let accessCase = submitOrThrow(often);
  const reminded: number[] = [];
  for (let minute = 0; minute <= 120; minute++) {
    const decision = decide(often, accessCase, tick, at(minute));
    if (outcomeOf(decision) === "ApprovalReminded") reminded.push(minute);
    accessCase = play(often, accessCase, [[tick, at(minute)]]);
  }
  expect(reminded).toEqual([5, 10, 15, 65, 70]);
});

import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { AccessCase } from "../../src/core/access/access-case.ts";
import { eligiblePeople } from "../../src/core/access/approvals.ts";
import { hasStarted } from "../../src/core/access/grant.ts";
import { instant } from "../../src/core/values/ids.ts";
import { isRefusal } from "../../src/core/values/refusals.ts";
import { stagesOf } from "../../src/core/policy/requirement.ts";
import { statusOf } from "../../src/core/access/status.ts";
import { minuteMs } from "../../src/core/values/time.ts";
import { approvalPolicy, mondayNoon, stageBy } from "./support/policies.ts";
import {
  applyEvents,
  decide,
  directory,
  people,
  submit,
  world,
  type Command,
  type World,
} from "./support/decision-setup.ts";

const names = ["dev", "lead", "ann", "bob", "cid", "sec", "cto", "bot"] as const;
const by = fc.constantFrom(...names);

const stage = fc
  .record({
    approvers: fc.constantFrom(
      "group:dba",
      "group:security",
      "manager",
      "group:dba group:security",
      "cto@company.com",
    ),
    required: fc.integer({ min: 1, max: 2 }),
    slaMs: fc.option(fc.constant(30 * minuteMs), { nil: undefined }),
  })
  .map(({ approvers, required, slaMs }) =>
    stageBy(approvers, {
      required,
      ...(slaMs !== undefined && {
        slaMs,
        escalateTo: [[{ kind: "email", email: "cto@company.com" } as const]],
      }),
    }),
  );
const policy = fc
  .array(stage, { minLength: 1, maxLength: 3 })
  .map((stages) => approvalPolicy("p", { stages }));

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 20, arbitrary: by.map((name) => ({ do: "approve", by: name }) as const) },
  { weight: 1, arbitrary: by.map((name) => ({ do: "deny", by: name }) as const) },
  { weight: 1, arbitrary: by.map((name) => ({ do: "cancel", by: name }) as const) },
  { weight: 3, arbitrary: by.map((name) => ({ do: "claim", by: name }) as const) },
  { weight: 1, arbitrary: by.map((name) => ({ do: "rotate", by: name }) as const) },
  { weight: 1, arbitrary: by.map((name) => ({ do: "complete", by: name }) as const) },
  { weight: 1, arbitrary: fc.constant({ do: "revoke", by: "ann" } as const) },
  { weight: 2, arbitrary: fc.constant({ do: "tick" } as const) },
  { weight: 1, arbitrary: fc.constant({ do: "endAll" } as const) },
);

/** A value once in `times`; otherwise undefined. */
function rarely<T>(arbitrary: fc.Arbitrary<T>, times: number): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 1, arbitrary }, { weight: times - 1, arbitrary: fc.constant(undefined) });
}

/** Between commands time passes, a person is deactivated or returns, or the policy changes. */
const anyChange = fc.record({
  command,
  passMs: fc.nat({ max: 30 * minuteMs }),
  toggled: rarely(fc.constantFrom("ann", "bob", "cid", "sec"), 5),
  policy: rarely(policy, 12),
});

function applyChange(
  of: World,
  { toggled, policy: next }: { toggled?: string; policy?: World["policies"][number] },
): World {
  return {
    ...of,
    people: of.people.map((member) =>
      member.name === toggled ? { ...member, enabled: !member.enabled } : member,
    ),
    policies: next === undefined ? of.policies : [{ ...next, version: (of.policies[0]?.version ?? 0) + 1 }],
  };
}

/**
 * Counts the quorum independently: enough different people, eligible now, never the subject, each counted in one
 * stage.
 */
function expectQuorum(of: World, { request }: AccessCase): void {
  const used = new Set<string>();
  for (const stageToCheck of stagesOf(request.requirement)) {
    const level = request.openings.find((opening) => opening.stage === stageToCheck.number)?.level ?? 0;
    const eligible = eligiblePeople(
      request,
      [...stageToCheck.approvers, ...stageToCheck.escalateTo.slice(0, level).flat()],
      directory(of),
    );
    const voters = new Set(
      request.votes
        .filter((vote) => vote.decision === "APPROVED" && vote.stages.includes(stageToCheck.number))
        .map((vote) => vote.by)
        .filter((id) => eligible.some((person) => person.id === id)),
    );
    expect(voters.size).toBeGreaterThanOrEqual(stageToCheck.required);
    expect(voters.has(request.subjectId)).toBe(false);
    for (const voter of voters) {
      expect(used.has(voter)).toBe(false);
      used.add(voter);
    }
  }
}

test("a request is approved only with its quorum of distinct eligible people; every event applies; final states stay final", () => {
  let approvals = 0;
  fc.assert(
    fc.property(policy, fc.array(anyChange, { minLength: 5, maxLength: 30 }), (first, changes) => {
      let of = world(first);
      let now = mondayNoon;
      const asked = submit(of);
      if (isRefusal(asked)) return;
      let accessCase = applyEvents(undefined, asked);
      for (const change of changes) {
        now = instant(now + change.passMs);
        of = applyChange(of, {
          ...(change.toggled && { toggled: change.toggled }),
          ...(change.policy && { policy: change.policy }),
        });
        const before = statusOf(accessCase.request, accessCase.grant, now);
        const decision = decide(of, accessCase, change.command, now);
        if (isRefusal(decision)) continue;
        accessCase = applyEvents(accessCase, decision);
        const status = statusOf(accessCase.request, accessCase.grant, now);
        if (before.endedAt !== null) expect(status).toEqual(before);
        if (decision.some(({ event }) => event.type === "RequestApproved")) {
          approvals++;
          expectQuorum(of, accessCase);
        }
        const { grant, request } = accessCase;
        if (hasStarted(grant)) {
          expect(request.phase).toBe("CLAIMED");
          expect(grant.expiresAt - grant.startedAt).toBe(request.grantedDurationMs);
        }
      }
    }),
    { numRuns: 600 },
  );
  // A model that never approves anything proves nothing.
  expect(approvals).toBeGreaterThan(20);
  expect(people.length).toBeGreaterThan(5);
});

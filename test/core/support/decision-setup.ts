import type { Actor } from "../../../src/core/access/access-request.ts";
import { decideApproval, type ApprovalFacts } from "../../../src/core/decisions/decide-approval.ts";
import { decideDenial } from "../../../src/core/decisions/decide-denial.ts";
import { assertPresent } from "../../../src/core/values/assert.ts";
import type { Assessment } from "../../../src/core/access/assessment.ts";
import { decideBreakGlass } from "../../../src/core/decisions/decide-break-glass.ts";
import { decideReview } from "../../../src/core/decisions/decide-review.ts";
import type { RequestSpec } from "../../../src/core/access/draft-request.ts";
import type { AccessCase, Decision } from "../../../src/core/access/access-case.ts";
import { decideClaim, decideRotate } from "../../../src/core/decisions/decide-claim.ts";
import {
  decideCancel,
  decideComplete,
  decideEndAll,
  decideRevoke,
} from "../../../src/core/decisions/decide-end.ts";
import type { Recorded } from "../../../src/core/access/events.ts";
import { evolveGrant } from "../../../src/core/access/evolve-grant.ts";
import { evolveRequest } from "../../../src/core/access/evolve-request.ts";
import { selectPolicy, matchingPolicies } from "../../../src/core/policy/governing-policy.ts";
import { hasStarted, type StartedGrant } from "../../../src/core/access/grant.ts";
import { makeId, type IdentityId, type Instant, type Scope } from "../../../src/core/values/ids.ts";
import { directoryOf, type Directory, type Identity, type Via } from "../../../src/core/values/identity.ts";
import { indexPolicies } from "../../../src/core/policy/policy-index.ts";
import { emptyRules, type BreakGlassRule, type Policy } from "../../../src/core/policy/policy.ts";
import { decidePrepare } from "../../../src/core/decisions/decide-preparation.ts";
import { isRefusal } from "../../../src/core/values/refusals.ts";
import { decideExtension, decideSubmission } from "../../../src/core/decisions/decide-submission.ts";
import { decideTick } from "../../../src/core/decisions/decide-tick.ts";
import { hourMs } from "../../../src/core/values/time.ts";
import { approvalPolicy, facts, mondayNoon, scopeOf } from "./policies.ts";
import { decideReport, desiredTargets, type Report } from "./target-reports.ts";

export const idOf = (name: string): IdentityId => makeId("identity", name);

export const person = (name: string, more: Partial<Identity> = {}): Identity => ({
  id: idOf(name),
  kind: "HUMAN",
  email: `${name}@company.com`,
  name,
  groups: [],
  links: {},
  managedBy: "api",
  listed: true,
  enabled: true,
  ...more,
});

export const actor = (name: string, via: Via = "api"): Actor => ({
  type: "human",
  id: idOf(name),
  name,
  via,
});

/** Everything a decision depends on; tests change it between commands. */
export interface World {
  readonly people: readonly Identity[];
  readonly policies: readonly Policy[];
  readonly defaultPolicy?: Policy;
  readonly breakGlass?: Partial<BreakGlassRule>;
  readonly lockdown?: boolean;
  readonly spent?: readonly string[];
}

export const people: readonly Identity[] = [
  person("dev", { groups: ["engineering", "oncall"], managerId: idOf("lead") }),
  person("lead"),
  person("ann", { groups: ["dba"] }),
  person("bob", { groups: ["dba"] }),
  person("cid", { groups: ["dba"] }),
  person("sec", { groups: ["security"] }),
  person("sam", { groups: ["security"] }),
  person("cto"),
  person("bot", { kind: "SERVICE", groups: ["dba"] }),
];

export const world = (...policies: readonly Policy[]): World => ({
  people,
  policies: policies.length === 0 ? [approvalPolicy("dba")] : policies,
});

export const directory = (of: World): Directory => directoryOf(of.people);

/** Not a real hash, but enough to distinguish texts. */
export const digest = (text: string): string =>
  Array.from(text)
    .reduce((sum, letter) => (sum * 31n + BigInt(letter.codePointAt(0) ?? 0)) % 2n ** 120n, 7n)
    .toString(36)
    .padStart(32, "0");

let count = 0;
export const nextIdSuffix = (): string => `t${++count}`;

export const askOf = (more: Partial<RequestSpec> = {}): RequestSpec => ({
  id: makeId("request", nextIdSuffix()),
  subjectId: idOf("dev"),
  requestedById: more.subjectId ?? idOf("dev"),
  reason: "an incident",
  scopes: [scopeOf("read:prod:orders-db")],
  durationMs: 4 * hourMs,
  metadata: {},
  notifyChannels: [],
  ...more,
});

export const assess = (of: World, scopes: readonly Scope[], durationMs = 4 * hourMs): Assessment => {
  const index = indexPolicies(of.policies);
  return {
    risk: null,
    selections: scopes.map((scope) => ({
      scope,
      selection: selectPolicy(
        matchingPolicies(index, scope, facts({ durationMs }), null),
        of.defaultPolicy,
        (policy) => of.spent?.includes(policy.name) === true,
      ),
    })),
  };
};

const identity = (of: World, id: IdentityId): Identity => assertPresent(directory(of).identity(id), id);

const submissionFacts = (of: World, ask: RequestSpec, totalMs = ask.durationMs) => ({
  subject: identity(of, ask.subjectId),
  assessment: assess(of, ask.scopes, totalMs),
  directory: directory(of),
  lockdown: of.lockdown === true,
  digest,
  by: { ...actor("dev"), id: ask.requestedById, name: ask.requestedById },
});

export const submit = (of: World, ask: RequestSpec = askOf(), now: Instant = mondayNoon): Decision =>
  decideSubmission(ask, submissionFacts(of, ask), now);

export const breakGlassRule: BreakGlassRule = {
  ...emptyRules.breakGlass,
  allowed: [{ kind: "group", group: "oncall" }],
  review: { ...emptyRules.breakGlass.review, by: [{ kind: "group", group: "security" }] },
  notify: ["email:security@company.com"],
};

export const breakGlass = (
  of: World,
  ask: RequestSpec = askOf({ durationMs: hourMs }),
  now: Instant = mondayNoon,
  more: { debt?: "overdue" | "unjustified"; conditionsHold?: boolean } = {},
): Decision =>
  decideBreakGlass(
    ask,
    {
      ...submissionFacts(of, ask),
      rule: { ...breakGlassRule, ...of.breakGlass },
      conditionsHold: more.conditionsHold ?? true,
      debt: more.debt,
    },
    now,
  );

export type Command =
  | { do: "approve"; by: string; durationMs?: number; revision?: string; via?: Via }
  | { do: "deny"; by: string; via?: Via }
  | { do: "cancel"; by: string }
  | { do: "claim"; by: string }
  | { do: "prepare"; by: string }
  | Report
  | { do: "rotate"; by: string }
  | { do: "complete"; by: string }
  | { do: "revoke"; by: string }
  | { do: "review"; by: string; outcome: "justified" | "unjustified" }
  | { do: "extend"; durationMs: number }
  | { do: "endAll" }
  | { do: "tick" };

const credential = () => {
  const tail = nextIdSuffix();
  return { id: makeId("credential", tail), hash: tail, last4: "abcd", issuedAt: mondayNoon };
};

export const decide = (of: World, accessCase: AccessCase, command: Command, now: Instant): Decision => {
  const { request } = accessCase;
  const approvalFacts = (name: string, via: Via = "api"): ApprovalFacts => ({
    person: identity(of, idOf(name)),
    by: actor(name, via),
    behind: [],
    directory: directory(of),
    current: assess(of, request.scopes, request.extension?.totalMs ?? request.durationMs),
    subject: identity(of, request.subjectId),
    lockdown: of.lockdown === true,
    digest,
  });
  switch (command.do) {
    case "approve":
      return decideApproval(accessCase, command, approvalFacts(command.by, command.via), now);
    case "deny":
      return decideDenial(accessCase, "no", approvalFacts(command.by, command.via), now);
    case "cancel":
      return decideCancel(accessCase, idOf(command.by), "withdrawn", actor(command.by), now);
    case "attempted":
    case "provisioned":
    case "failed":
    case "cleared":
    case "overdue":
    case "drifted":
      return decideReport(accessCase, command, now);
    case "claim":
    case "prepare":
    case "rotate": {
      const { by, subject, current, lockdown } = approvalFacts(command.by);
      const claim = {
        byId: idOf(command.by),
        by,
        subject,
        current,
        lockdown,
        grantId: makeId("grant", nextIdSuffix()),
        credential: credential(),
        startedAt: now,
        isPrepared: accessCase.grant?.phase === "PREPARING",
        desired: desiredTargets,
      };
      if (command.do === "prepare") return decidePrepare(accessCase, claim, now);
      return command.do === "claim"
        ? decideClaim(accessCase, claim, now)
        : decideRotate(accessCase, claim, now);
    }
    case "complete":
      return decideComplete(accessCase, idOf(command.by), null, actor(command.by), now);
    case "revoke":
      return decideRevoke(accessCase, "enough", actor(command.by), now);
    case "review":
      return decideReview(
        accessCase,
        { outcome: command.outcome, comment: "seen" },
        approvalFacts(command.by),
        now,
      );
    case "extend": {
      const grant = startedGrant(accessCase);
      const ask = askOf({ durationMs: command.durationMs, scopes: request.scopes });
      const totalMs = grant.expiresAt - grant.startedAt + command.durationMs;
      return decideExtension(ask, { request, grant }, submissionFacts(of, ask, totalMs), now);
    }
    case "endAll":
      return decideEndAll(accessCase, "gone", actor("dev"), now);
    case "tick":
      return decideTick(accessCase, directory(of), now);
  }
};

/** Applies events to a case; a new extension is kept beside its parent. */
export const applyEvents = (accessCase: AccessCase | undefined, events: readonly Recorded[]): AccessCase => {
  let { request, grant, extension }: Partial<AccessCase> = accessCase ?? {};
  for (const recorded of events) {
    // A request may prepare another grant after an earlier one was abandoned.
    if (recorded.on === "grant")
      grant = evolveGrant(recorded.event.type === "GrantPrepared" ? undefined : grant, recorded.event);
    else if (request === undefined || recorded.id === request.id)
      request = evolveRequest(request, recorded.event);
    else extension = evolveRequest(extension?.id === recorded.id ? extension : undefined, recorded.event);
  }
  return {
    request: assertPresent(request, "a request"),
    ...(grant !== undefined && { grant }),
    ...(extension !== undefined && { extension }),
  };
};

/** The grant of a case whose access has started. */
export const startedGrant = (accessCase: AccessCase): StartedGrant =>
  assertPresent(hasStarted(accessCase.grant) ? accessCase.grant : undefined, "access that has started");

/** Runs commands, all of which must succeed. */
export const play = (
  of: World,
  accessCase: AccessCase,
  steps: readonly (readonly [Command, Instant?])[],
): AccessCase => {
  let current = accessCase;
  for (const [command, at] of steps) {
    const decision = decide(of, current, command, at ?? mondayNoon);
    if (isRefusal(decision)) throw new Error(`${command.do}: ${decision.refused} ${decision.detail}`);
    current = applyEvents(current, decision);
  }
  return current;
};

export const submitOrThrow = (of: World, ask?: RequestSpec, now?: Instant): AccessCase => {
  const decision = submit(of, ask, now);
  if (isRefusal(decision)) throw new Error(`submit: ${decision.refused} ${decision.detail}`);
  return applyEvents(undefined, decision);
};

/** The code of a refusal, or the types of events; for tables. */
export const outcomeOf = (decision: Decision): string =>
  isRefusal(decision) ? decision.refused : decision.map(({ event }) => event.type).join(" ") || "nothing";

import { createHash } from "node:crypto";
import type { AccessRequest, Actor } from "../../src/core/access/access-request.ts";
import type { Demand } from "../../src/core/policy/requirement-model.ts";
import { assertPresent } from "../../src/core/values/assert.ts";
import type { AuditEntry } from "../../src/core/audit/audit-record.ts";
import type { Effect } from "../../src/core/effects/effects.ts";
import type { CredentialRecord, StartedGrant } from "../../src/core/access/grant.ts";
import { instant, makeId, type Instant, type RequestId, type Scope } from "../../src/core/values/ids.ts";
import { parseSelector, type Identity, type Selector } from "../../src/core/values/identity.ts";
import { policyDefaults, type Policy, type StageRule } from "../../src/core/policy/policy.ts";
import { parseScope } from "../../src/core/values/scopes.ts";
import { hourMs, minuteMs, plus } from "../../src/core/values/time.ts";
import { recordOf } from "../../src/store/shared/step-records.ts";
import type {
  ApiKey,
  Expectation,
  IdempotencyRecord,
  NewEffect,
  Step,
  Write,
} from "../../src/service/ports/store.ts";

/** The time of every fixture. */
export const noon = instant(Date.UTC(2024, 0, 15, 12));

/** `minutes` after {@link noon}. */
export function at(minutes: number): Instant {
  return plus(noon, minutes * minuteMs);
}

export const ids = {
  identity: (tail: string) => makeId("identity", tail),
  request: (tail: string) => makeId("request", tail),
  grant: (tail: string) => makeId("grant", tail),
  credential: (tail: string) => makeId("credential", tail),
  policy: (tail: string) => makeId("policy", tail),
  key: (tail: string) => makeId("key", tail),
  effect: (tail: string) => makeId("effect", tail),
} as const;

export function scope(text: string): Scope {
  return assertPresent(parseScope(text), `a scope in "${text}"`);
}

export function selector(text: string): Selector {
  return assertPresent(parseSelector(text), `a selector in "${text}"`);
}

/** A SHA-256, as stored of tokens and bodies. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

export const someone: Actor = { type: "human", id: "id_dev", name: "Dev", via: "api" };

/** An active human managed by the API: `id_<tail>`, `<tail>@company.com`. */
export function identityFixture(tail: string, changes: Partial<Identity> = {}): Identity {
  return {
    id: ids.identity(tail),
    kind: "HUMAN",
    email: `${tail}@company.com`,
    name: tail,
    groups: [],
    links: {},
    managedBy: "api",
    listed: true,
    enabled: true,
    ...changes,
  };
}

export function keyFixture(tail: string, changes: Partial<ApiKey> = {}): ApiKey {
  return {
    id: ids.key(tail),
    identityId: ids.identity("dev"),
    roles: ["requester"],
    name: null,
    hash: hashOf(`key ${tail}`),
    last4: "abcd",
    mintedBy: ids.identity("admin"),
    createdAt: noon,
    expiresAt: plus(noon, 90 * 24 * hourMs),
    deletedAt: null,
    ...changes,
  };
}

/** A stage that one of `approvers` decides. */
export function stageFixture(approvers: readonly string[], changes: Partial<StageRule> = {}): StageRule {
  return { approvers: approvers.map(selector), required: 1, remindersMs: [], escalateTo: [], ...changes };
}

export function demandFixture(stages: readonly StageRule[], changes: Partial<Demand> = {}): Demand {
  return {
    policyId: ids.policy("default"),
    policyName: "default",
    policyVersion: 1,
    scopes: [],
    stages: stages.map((stage, index) => ({ ...stage, number: index + 1 })),
    ...changes,
  };
}

/**
 * A PENDING request of `id_dev` for an hour of `read:prod:orders-db`, to be decided by `lead@company.com` within a
 * day.
 */
export function requestFixture(tail: string, changes: Partial<AccessRequest> = {}): AccessRequest {
  const subjectId = changes.subjectId ?? ids.identity("dev");
  return {
    id: ids.request(tail),
    subjectId,
    requestedById: subjectId,
    requestedAt: noon,
    reason: "Orders are stuck",
    scopes: [scope("read:prod:orders-db")],
    durationMs: hourMs,
    metadata: {},
    notifyChannels: ["slack", "teams", "email"],
    subjectAtSubmission: { id: subjectId, kind: "HUMAN", groups: [] },
    risk: null,
    requirement: {
      demands: [demandFixture([stageFixture(["lead@company.com"])])],
      windowMs: policyDefaults.windowMs,
      claimWindowMs: policyDefaults.claimWindowMs,
      channels: [],
    },
    revision: "0".repeat(32),
    openings: [{ stage: 1, at: noon, reminded: 0, level: 0 }],
    asked: [{ identityId: ids.identity("lead"), stage: 1, escalated: false }],
    votes: [],
    phase: "PENDING",
    approvalDeadline: plus(noon, policyDefaults.windowMs),
    claimDeadline: null,
    grantedDurationMs: null,
    decidedAt: null,
    decidedBy: null,
    grantId: null,
    endedAt: null,
    endReason: null,
    ...changes,
  };
}

/** The request after its approval, which can be claimed for eight hours. */
export function approvedFixture(tail: string, changes: Partial<AccessRequest> = {}): AccessRequest {
  return requestFixture(tail, {
    phase: "APPROVED",
    claimDeadline: plus(noon, policyDefaults.claimWindowMs),
    grantedDurationMs: hourMs,
    decidedAt: noon,
    decidedBy: someone,
    ...changes,
  });
}

/** The request after the claim that led to `grantFixture(tail)`. */
export function claimedFixture(tail: string, changes: Partial<AccessRequest> = {}): AccessRequest {
  return approvedFixture(tail, { phase: "CLAIMED", grantId: ids.grant(tail), ...changes });
}

export function credentialFixture(tail: string): CredentialRecord {
  return { id: ids.credential(tail), hash: hashOf(`token ${tail}`), last4: "wxyz", issuedAt: noon };
}

/** An active grant for `requestFixture(tail)`, for an hour from noon. */
export function grantFixture(tail: string, changes: Partial<StartedGrant> = {}): StartedGrant {
  return {
    id: ids.grant(tail),
    requestId: ids.request(tail),
    subjectId: ids.identity("dev"),
    scopes: [scope("read:prod:orders-db")],
    breakGlass: false,
    phase: "ACTIVE",
    startedAt: noon,
    expiresAt: plus(noon, hourMs),
    endedAt: null,
    endReason: null,
    credential: credentialFixture(tail),
    targets: [],
    ...changes,
  };
}

/** A policy for all access, approved by `lead@company.com`. */
export function policyFixture(tail: string, changes: Partial<Policy> = {}): Policy {
  const approval = {
    windowMs: policyDefaults.windowMs,
    channels: [],
    stages: [stageFixture(["lead@company.com"])],
  };
  return {
    id: ids.policy(tail),
    version: 1,
    name: tail,
    enabled: true,
    priority: 0,
    effect: { kind: "approval", approval },
    conditions: [],
    maxDurationMs: policyDefaults.maxDurationMs,
    claimWindowMs: policyDefaults.claimWindowMs,
    requireTicket: false,
    managedBy: "api",
    ...changes,
  };
}

export function auditFixture(changes: Partial<AuditEntry> = {}): AuditEntry {
  return { at: noon, action: "request.submitted", actor: someone, data: {}, ...changes };
}

/** A message about a request, due at noon. */
export function noticeFixture(
  tail: string,
  requestId: RequestId | null,
  changes: Partial<NewEffect> = {},
): NewEffect {
  const effect: Effect =
    requestId === null
      ? { kind: "end_access_of", identityId: ids.identity("lead") }
      : { kind: "announce", requestId, notices: [{ notice: "submitted", people: [ids.identity("lead")] }] };
  return { id: ids.effect(tail), effect, dueAt: noon, ...changes };
}

export function idempotencyFixture(changes: Partial<IdempotencyRecord> = {}): IdempotencyRecord {
  return {
    keyId: ids.key("dev"),
    call: "POST /api/v1/credentials/jit",
    idempotencyKey: "once",
    bodyHash: hashOf("{}"),
    status: 201,
    body: "{}",
    at: noon,
    ...changes,
  };
}

const emptyStep: Step = { expects: [], writes: [], unique: [], counters: [], audit: [], effects: [] };

/** A step with only these parts. */
export function stepFixture(parts: Partial<Step>): Step {
  return { ...emptyStep, ...parts };
}

/** A step that writes these records. Each is expected at the version given for its id, or not to exist yet. */
export function writeStep(writes: readonly Write[], versions: Readonly<Record<string, number>> = {}): Step {
  const expects = writes.flatMap((write): readonly Expectation[] => {
    const record = recordOf(write);
    if (record === undefined) return [];
    return [{ ...record, version: versions[record.id] ?? (record.kind === "rulebook" ? 1 : 0) }];
  });
  return stepFixture({ expects, writes });
}

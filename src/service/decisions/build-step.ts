import { isOpen, type AccessRequest } from "../../core/access/access-request.ts";
import { assert, assertPresent } from "../../core/values/assert.ts";
import type { AuditEntry } from "../../core/audit/audit-record.ts";
import type { AccessCase } from "../../core/access/access-case.ts";
import type { Effect } from "../../core/effects/effects.ts";
import { noticesOf, targetEffectsOf } from "../../core/effects/event-effects.ts";
import { endingSoonOf } from "../../core/effects/ending-soon.ts";
import { nextDueAt } from "../../core/access/escalation.ts";
import type { Recorded } from "../../core/access/events.ts";
import { evolveGrant } from "../../core/access/evolve-grant.ts";
import { evolveRequest } from "../../core/access/evolve-request.ts";
import { needsTargets, type Grant } from "../../core/access/grant.ts";
import { makeId, type Instant, type RequestId } from "../../core/values/ids.ts";
import type { Notice } from "../../core/effects/notices.ts";
import { auditEntriesOf } from "../../core/audit/audit-entries.ts";
import { scopeSetKey } from "../../core/values/scopes.ts";
import { gauge, usesOf, type Limits } from "./counters.ts";
import type {
  CounterChange,
  Expectation,
  IdempotencyRecord,
  NewEffect,
  Step,
  UniqueChange,
  Versioned,
  Write,
} from "../ports/store.ts";
import type { Runtime } from "../ports/runtime.ts";

/** A case as it was read, with the versions that a decision about it depends on. */
export interface VersionedCase {
  readonly accessCase: AccessCase;
  readonly expects: readonly Expectation[];
}

/** What a step needs besides the case: what the decision depends on, and the limits in force. */
export interface StepContext {
  readonly now: Instant;
  readonly runtime: Runtime;
  readonly limits: Limits;
  readonly expects: readonly Expectation[];
  readonly idempotencyRecord?: IdempotencyRecord;
  /** For a new request: other requests that the decision also changes. */
  readonly alsoChanged?: readonly Versioned<AccessRequest>[];
}

export interface BuiltStep {
  readonly step: Step;
  readonly request: AccessRequest;
  readonly grant: Grant | undefined;
  /** A request that this step stores for the first time. */
  readonly created: AccessRequest | undefined;
}

/** Applies the events to the case, and derives rows, unique names, counters, audit records and effects. */
export function buildStep(
  loaded: VersionedCase | undefined,
  events: readonly Recorded[],
  context: StepContext,
): BuiltStep {
  assert(events.length > 0, "a step has events");
  const { alsoChanged = [] } = context;
  const before = recordsOfCase(loaded?.accessCase, alsoChanged);
  const after = new Map(before);
  const audit: AuditEntry[] = [];
  const notices = new Map<RequestId, Notice[]>();
  const targetEffects: Effect[] = [];
  const scheduled: NewEffect[] = [];
  for (const event of events) {
    after.set(event.id, evolved(after.get(event.id), event));
    const request = requestOf(event, after);
    audit.push(...auditEntriesOf(event, request));
    notices.set(request.id, [...(notices.get(request.id) ?? []), ...noticesOf(event, request)]);
    const grant = grantNamed(event.id, after);
    if (grant !== undefined) targetEffects.push(...targetEffectsOf(event, grant));
    const ending = endingSoonOf(event);
    if (ending === undefined) continue;
    const { at, ...announcement } = ending;
    const effect = { kind: "announce_ending", requestId: request.id, ...announcement } as const;
    scheduled.push({ ...newEffect(effect, context), dueAt: at });
  }
  const extendedGrants = events.flatMap(({ event }) =>
    event.type === "RequestSubmitted" && event.request.extension !== undefined
      ? [event.request.extension.grantId]
      : [],
  );
  // An extension always writes its grant, even unchanged, so that a concurrent end of the grant conflicts with it.
  const changed = [...after].filter(
    ([id, record]) => before.get(id)?.value !== record.value || extendedGrants.some((grant) => grant === id),
  );
  const created = changed.flatMap(([id, record]) =>
    before.has(id) ? [] : [{ kind: record.on, id, version: 0 } satisfies Expectation],
  );
  const alsoExpected = alsoChanged.map((versioned) => expectUnchanged("request", versioned));
  const changes = changed.map(([id, record]) => changeOf(before.get(id), record, context));
  const step: Step = {
    expects: dedupe([...(loaded?.expects ?? []), ...alsoExpected, ...created, ...context.expects]),
    writes: changes.map((change) => change.write),
    unique: releasesFirst(changes.flatMap((change) => change.unique)),
    counters: [
      ...changes.flatMap((change) => change.counters),
      ...events.flatMap((event) => usesOf(event, context.now)),
    ],
    audit,
    effects: [
      ...announced(notices, context),
      ...targetEffects.map((effect) => newEffect(effect, context)),
      ...scheduled,
    ],
    ...(context.idempotencyRecord !== undefined && { idempotencyRecord: context.idempotencyRecord }),
  };
  const requestId = assertPresent(
    loaded?.accessCase.request.id ?? events.find((event) => event.on === "request")?.id,
    "a request",
  );
  const request = requestNamed(requestId, after);
  return {
    step,
    request,
    // For an extension: the grant that it extends.
    grant: (request.grantId === null ? undefined : grantNamed(request.grantId, after)) ?? anyGrant(after),
    created: changed.flatMap(([id, record]) =>
      !before.has(id) && record.on === "request" ? [record.value] : [],
    )[0],
  };
}

/** One effect per request, even without notices, because posted cards must be updated. */
function announced(
  notices: ReadonlyMap<RequestId, readonly Notice[]>,
  context: Pick<StepContext, "now" | "runtime">,
): readonly NewEffect[] {
  return [...notices].map(([requestId, ownNotices]) =>
    newEffect({ kind: "announce", requestId, notices: ownNotices }, context),
  );
}

function evolved(record: CaseRecord | undefined, recorded: Recorded): CaseRecord {
  if (recorded.on === "request") {
    const value = record?.on === "request" ? record.value : undefined;
    return { on: "request", value: evolveRequest(value, recorded.event) };
  }
  const value = record?.on === "grant" ? record.value : undefined;
  return { on: "grant", value: evolveGrant(value, recorded.event) };
}

type CaseRecord =
  | { readonly on: "request"; readonly value: AccessRequest }
  | { readonly on: "grant"; readonly value: Grant };

function recordsOfCase(
  accessCase: AccessCase | undefined,
  alsoChanged: readonly Versioned<AccessRequest>[],
): ReadonlyMap<string, CaseRecord> {
  if (accessCase === undefined)
    return new Map(requestRecords(alsoChanged.map((versioned) => versioned.value)));
  const { request, grant, extension, parent, siblings = [] } = accessCase;
  const others = [extension, parent, ...siblings].filter((other) => other !== undefined);
  return new Map<string, CaseRecord>([
    ...requestRecords([request]),
    ...(grant === undefined ? [] : [[grant.id, { on: "grant", value: grant }] as const]),
    ...requestRecords(others),
  ]);
}

function requestRecords(requests: readonly AccessRequest[]): readonly (readonly [string, CaseRecord])[] {
  return requests.map((value) => [value.id, { on: "request", value }] as const);
}

function grantNamed(id: string, records: ReadonlyMap<string, CaseRecord>): Grant | undefined {
  const record = records.get(id);
  return record?.on === "grant" ? record.value : undefined;
}

function anyGrant(records: ReadonlyMap<string, CaseRecord>): Grant | undefined {
  return [...records.keys()].map((id) => grantNamed(id, records)).find((grant) => grant !== undefined);
}

function requestNamed(id: string, records: ReadonlyMap<string, CaseRecord>): AccessRequest {
  const record = assertPresent(records.get(id), id);
  assert(record.on === "request", "it is a request");
  return record.value;
}

/** The request that an event belongs to: its own, or the one of its grant. */
function requestOf(event: Recorded, records: ReadonlyMap<string, CaseRecord>): AccessRequest {
  if (event.on === "request") return requestNamed(event.id, records);
  const grant = assertPresent(records.get(event.id), event.id);
  assert(grant.on === "grant", "it is a grant");
  return requestNamed(grant.value.requestId, records);
}

interface RecordChange {
  readonly write: Write;
  readonly unique: readonly UniqueChange[];
  readonly counters: readonly CounterChange[];
}

/** Unique names and counters of a change. They follow from before and after, so that no caller can forget one. */
function changeOf(
  before: CaseRecord | undefined,
  after: CaseRecord,
  { now, limits }: StepContext,
): RecordChange {
  if (after.on === "grant") {
    const was = before?.on === "grant" && countsAsActive(before.value);
    const active = gauge(
      `active:${after.value.subjectId}`,
      was,
      countsAsActive(after.value),
      limits.activePerIdentity,
      now,
    );
    return { write: { kind: "grant", value: after.value }, unique: [], counters: active };
  }
  const { value } = after;
  const earlier = before?.on === "request" ? before.value : undefined;
  const pendingBefore = earlier?.phase === "PENDING";
  return {
    write: { kind: "request", value, dueAt: nextDueAt(value) },
    unique: guard(earlier === undefined ? undefined : openKey(earlier), openKey(value), value.id),
    counters: gauge(
      `pending:${value.subjectId}`,
      pendingBefore,
      value.phase === "PENDING",
      limits.pendingPerIdentity,
      now,
    ),
  };
}

/** Access in preparation counts already. Break-glass has its own limit. */
function countsAsActive(grant: Grant): boolean {
  return needsTargets(grant) && !grant.breakGlass;
}

/**
 * The unique name of an open request, which prevents duplicates (docs/lifecycle.md#duplicate-requests). Break-glass has
 * none. A stranded request gives its name up for good while it waits, because a new request may hold it by now. Its
 * approval takes the name again, so that only one of two requests for the same access is approved.
 */
export function openKey(request: AccessRequest): string | undefined {
  if (!isOpen(request) || request.breakGlass !== undefined) return undefined;
  if (request.phase === "PENDING" && request.stranded !== undefined) return undefined;
  return request.extension === undefined
    ? `open:${request.subjectId}:${scopeSetKey(request.scopes)}`
    : `extension:${request.extension.grantId}`;
}

/** Releases come first, so that one record can take a name that another record of the same step releases. */
export function releasesFirst(changes: readonly UniqueChange[]): readonly UniqueChange[] {
  return changes.toSorted((left, right) => Number("take" in left) - Number("take" in right));
}

function guard(
  before: string | undefined,
  after: string | undefined,
  owner: string,
): readonly UniqueChange[] {
  if (before === after) return [];
  return [
    ...(before === undefined ? [] : [{ release: before, owner }]),
    ...(after === undefined ? [] : [{ take: after, owner }]),
  ];
}

export function newEffect(
  effect: NewEffect["effect"],
  { now, runtime }: Pick<StepContext, "now" | "runtime">,
): NewEffect {
  return { id: makeId("effect", runtime.idSuffix()), effect, dueAt: now };
}

/** Removes duplicates, but keeps one record read at two versions: the commit must detect that conflict. */
export function dedupe(expects: readonly Expectation[]): readonly Expectation[] {
  return [
    ...new Map(
      expects.map((expectation) => {
        const { kind, id, version } = expectation;
        return [`${kind} ${id} ${version}`, expectation];
      }),
    ).values(),
  ];
}

/** Expects that a record is still as it was read. */
export function expectUnchanged(
  kind: Expectation["kind"],
  record: Versioned<{ readonly id: string }>,
): Expectation {
  return { kind, id: record.value.id, version: record.version };
}

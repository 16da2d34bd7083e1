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
  readonly beside?: readonly Versioned<AccessRequest>[];
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
  happened: readonly Recorded[],
  context: StepContext,
): BuiltStep {
  assert(happened.length > 0, "a step has events");
  const { beside = [] } = context;
  const before = recordsOfCase(loaded?.accessCase, beside);
  const after = new Map(before);
  const audit: AuditEntry[] = [];
  const notices = new Map<RequestId, Notice[]>();
  const atTargets: Effect[] = [];
  const later: NewEffect[] = [];
  for (const one of happened) {
    after.set(one.id, evolved(after.get(one.id), one));
    const request = requestOf(one, after);
    audit.push(...auditEntriesOf(one, request));
    notices.set(request.id, [...(notices.get(request.id) ?? []), ...noticesOf(one, request)]);
    const about = grantNamed(one.id, after);
    if (about !== undefined) atTargets.push(...targetEffectsOf(one, about));
    const ending = endingSoonOf(one);
    if (ending === undefined) continue;
    const { at, ...grant } = ending;
    const effect = { kind: "announce_ending", requestId: request.id, ...grant } as const;
    later.push({ ...newEffect(effect, context), dueAt: at });
  }
  const extendedGrants = happened.flatMap((one) =>
    one.event.type === "RequestSubmitted" && one.event.request.extension !== undefined
      ? [one.event.request.extension.grantId]
      : [],
  );
  // An extension always writes its grant, even unchanged, so that a concurrent end of the grant conflicts with it.
  const changed = [...after].filter(
    ([id, record]) => before.get(id)?.value !== record.value || extendedGrants.some((grant) => grant === id),
  );
  const created = changed.flatMap(([id, record]) =>
    before.has(id) ? [] : [{ kind: record.on, id, version: 0 } satisfies Expectation],
  );
  const besides = beside.map((one) => expectUnchanged("request", one));
  const changes = changed.map(([id, record]) => changeOf(before.get(id), record, context));
  const step: Step = {
    expects: dedupe([...(loaded?.expects ?? []), ...besides, ...created, ...context.expects]),
    writes: changes.map((change) => change.write),
    unique: releasesFirst(changes.flatMap((change) => change.unique)),
    counters: [
      ...changes.flatMap((change) => change.counters),
      ...happened.flatMap((one) => usesOf(one, context.now)),
    ],
    audit,
    effects: [
      ...announced(notices, context),
      ...atTargets.map((effect) => newEffect(effect, context)),
      ...later,
    ],
    ...(context.idempotencyRecord !== undefined && { idempotencyRecord: context.idempotencyRecord }),
  };
  const main = assertPresent(
    loaded?.accessCase.request.id ?? happened.find((one) => one.on === "request")?.id,
    "a request",
  );
  const request = requestNamed(main, after);
  return {
    step,
    request,
    // For an extension: the grant that it extends.
    grant: (request.grantId === null ? undefined : grantNamed(request.grantId, after)) ?? anyGrant(after),
    created: changed.flatMap(([id, one]) => (!before.has(id) && one.on === "request" ? [one.value] : []))[0],
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

function evolved(record: Kept | undefined, one: Recorded): Kept {
  if (one.on === "request") {
    const value = record?.on === "request" ? record.value : undefined;
    return { on: "request", value: evolveRequest(value, one.event) };
  }
  const value = record?.on === "grant" ? record.value : undefined;
  return { on: "grant", value: evolveGrant(value, one.event) };
}

type Kept =
  | { readonly on: "request"; readonly value: AccessRequest }
  | { readonly on: "grant"; readonly value: Grant };

function recordsOfCase(
  accessCase: AccessCase | undefined,
  beside: readonly Versioned<AccessRequest>[],
): ReadonlyMap<string, Kept> {
  if (accessCase === undefined) return new Map(requestRecords(beside.map((one) => one.value)));
  const { request, grant, extension, parent, siblings = [] } = accessCase;
  const others = [extension, parent, ...siblings].filter((one) => one !== undefined);
  return new Map<string, Kept>([
    ...requestRecords([request]),
    ...(grant === undefined ? [] : [[grant.id, { on: "grant", value: grant }] as const]),
    ...requestRecords(others),
  ]);
}

function requestRecords(requests: readonly AccessRequest[]): readonly (readonly [string, Kept])[] {
  return requests.map((value) => [value.id, { on: "request", value }] as const);
}

function grantNamed(id: string, records: ReadonlyMap<string, Kept>): Grant | undefined {
  const record = records.get(id);
  return record?.on === "grant" ? record.value : undefined;
}

function anyGrant(records: ReadonlyMap<string, Kept>): Grant | undefined {
  return [...records.keys()].map((id) => grantNamed(id, records)).find((grant) => grant !== undefined);
}

function requestNamed(id: string, records: ReadonlyMap<string, Kept>): AccessRequest {
  const record = assertPresent(records.get(id), id);
  assert(record.on === "request", "it is a request");
  return record.value;
}

/** The request that an event belongs to: its own, or the one of its grant. */
function requestOf(one: Recorded, records: ReadonlyMap<string, Kept>): AccessRequest {
  if (one.on === "request") return requestNamed(one.id, records);
  const grant = assertPresent(records.get(one.id), one.id);
  assert(grant.on === "grant", "it is a grant");
  return requestNamed(grant.value.requestId, records);
}

interface RecordChange {
  readonly write: Write;
  readonly unique: readonly UniqueChange[];
  readonly counters: readonly CounterChange[];
}

/** Unique names and counters of a change. They follow from before and after, so that no caller can forget one. */
function changeOf(before: Kept | undefined, after: Kept, { now, limits }: StepContext): RecordChange {
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
  return changes.toSorted((one, other) => Number("take" in one) - Number("take" in other));
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
  return [...new Map(expects.map((one) => [`${one.kind} ${one.id} ${one.version}`, one])).values()];
}

/** Expects that a record is still as it was read. */
export function expectUnchanged(
  kind: Expectation["kind"],
  record: Versioned<{ readonly id: string }>,
): Expectation {
  return { kind, id: record.value.id, version: record.version };
}

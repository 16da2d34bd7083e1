import { assertPresent } from "../../../src/core/values/assert.ts";
import type { AuditRow } from "../../../src/service/ports/store.ts";

/** The state of one request according to the audit log alone. Times are epoch milliseconds. */
export interface LoggedState {
  readonly status: string;
  readonly startedAt: number | null;
  readonly expiresAt: number | null;
  readonly endedAt: number | null;
  /** When the clock ends this status by itself. */
  readonly lapsesAt: number | null;
}

type Read = AuditRow & { readonly action: string; readonly data: Record<string, unknown> };

/** Folds the log from its beginning into the state of every request at `now`. */
export function foldAudit(rows: readonly Read[], now: number): ReadonlyMap<string, LoggedState> {
  const told = new Map<string, LoggedState>();
  for (const row of rows) {
    const body: unknown = JSON.parse(row.body);
    const request = textIn(body, "request");
    if (request === undefined) continue;
    const before = told.get(request);
    const after = next(before, row, Date.parse(textIn(body, "at") ?? ""));
    if (after !== undefined) told.set(request, after);
    if (row.action !== "grant.extended") continue;
    const child = assertPresent(textIn(row.data, "extension"), "an extension's id");
    const open = assertPresent(told.get(child), child);
    told.set(child, { ...open, status: "COMPLETED", endedAt: Date.parse(textIn(body, "at") ?? "") });
  }
  return new Map([...told].map(([id, one]) => [id, byClock(one, now)]));
}

/** Undefined when the record does not change the state. */
function next(before: LoggedState | undefined, { action, data }: Read, at: number): LoggedState | undefined {
  const time = (name: string): number => Date.parse(assertPresent(textIn(data, name), name));
  if (action === "request.submitted") {
    const lapsesAt = time("approvalDeadline");
    return { status: "PENDING", startedAt: null, expiresAt: null, endedAt: null, lapsesAt };
  }
  if (before === undefined) return undefined;
  switch (action) {
    case "request.auto_approved":
    case "break_glass.used":
    case "request.approved":
      return { ...before, status: "APPROVED", lapsesAt: time("claimDeadline") };
    case "request.denied":
      return { ...before, status: "DENIED", endedAt: at };
    case "request.cancelled":
      return { ...before, status: "CANCELLED", endedAt: at };
    case "request.timed_out":
      return { ...before, status: "TIMED_OUT", endedAt: before.lapsesAt };
    case "grant.started": {
      const expiresAt = time("expiresAt");
      return { ...before, status: "ACTIVE", startedAt: time("startedAt"), expiresAt, lapsesAt: expiresAt };
    }
    case "grant.failed":
      return { ...before, status: "FAILED", endedAt: at };
    case "grant.extended": {
      const expiresAt = time("expiresAt");
      return { ...before, expiresAt, lapsesAt: expiresAt };
    }
    case "grant.expired":
      return { ...before, status: "EXPIRED", endedAt: before.expiresAt };
    case "grant.completed":
      return { ...before, status: "COMPLETED", endedAt: at };
    case "grant.revoked":
      return { ...before, status: "REVOKED", endedAt: at };
    default:
      return undefined;
  }
}

function byClock(one: LoggedState, now: number): LoggedState {
  if (one.endedAt !== null || one.lapsesAt === null || now < one.lapsesAt) return one;
  return { ...one, status: one.status === "ACTIVE" ? "EXPIRED" : "TIMED_OUT", endedAt: one.lapsesAt };
}

function textIn(value: unknown, name: string): string | undefined {
  const found: unknown = typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
  return typeof found === "string" ? found : undefined;
}

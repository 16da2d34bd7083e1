import { assertNever } from "../../core/values/assert.ts";
import type { AuditEntry } from "../../core/audit/audit-record.ts";
import { systemActor } from "../../core/access/access-case.ts";
import { formatInstant, plus } from "../../core/values/time.ts";
import { matchesEvents, type Webhook } from "../../core/audit/webhook-subscription.ts";
import { coalesceRuns } from "../../service/async/coalesce-runs.ts";
import type { AuditRow, Cursor, Store } from "../../service/ports/store.ts";
import type { Runtime } from "../../service/ports/runtime.ts";
import { recordHead } from "../../service/reports/audit-json.ts";
import { recordOnly } from "../../service/decisions/decide-and-commit.ts";
import type { Deliver, DeliveryResult } from "./deliver.ts";
import { messageOf } from "./webhook-message.ts";
import { goneAfterMs, waitMs } from "./retry-schedule.ts";

/** Records read at a time. */
const batchMax = 100;
/** How many skipped records may pass before the cursor is saved. */
const unsavedMax = 500;

export interface WebhookLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export interface PumpPorts {
  readonly store: Pick<Store, "auditEvents" | "commit">;
  readonly now: Runtime["now"];
  readonly deliver: Deliver;
  /** 0 to 1. */
  readonly random: () => number;
  readonly log: WebhookLog;
  readonly signal: AbortSignal;
}

/**
 * Sends one webhook the audit events it subscribes to, in order: each is retried until it is delivered, before the
 * next. The cursor is stored, so a restart continues there. A crash before the cursor is saved repeats at most one
 * event, under the same id.
 *
 * - **delivering**: `attempts` 0. Sends until there are no more events.
 * - **waiting**: an attempt failed. Nothing is sent until `dueAt`; then the same event again.
 * - **disabled**: the receiver answered 410, or nothing was delivered for {@link goneAfterMs}. Nothing is sent until
 *   the next start or reload; then it continues with the same event. No event is lost.
 *
 * @returns sends what is due, and resolves when nothing is. Call it whenever an event may be due.
 */
export function createPump(ports: PumpPorts, webhook: Webhook, start: Cursor): () => Promise<void> {
  const { store, now, deliver, signal } = ports;
  let cursor = start;
  let savedSeq = start.seq;

  const save = async (audit: readonly AuditEntry[] = []): Promise<void> => {
    await store.commit({ ...recordOnly(audit), writes: [{ kind: "cursor", value: cursor }] });
    savedSeq = cursor.seq;
  };

  const isWaiting = (): boolean =>
    signal.aborted || cursor.disabled !== null || (cursor.dueAt !== null && now() < cursor.dueAt);

  /** @returns whether to continue with the next record. The cursor moves even if it cannot be saved. */
  const settle = async (row: AuditRow, result: DeliveryResult): Promise<boolean> => {
    switch (result.kind) {
      case "delivered":
        if (cursor.attempts > 0) ports.log.info({ webhook: webhook.name }, "webhook recovered");
        cursor = { ...cursor, seq: row.seq, attempts: 0, failingSince: null, dueAt: null };
        await save();
        return true;
      case "stopped":
        return false;
      case "gone":
      case "failed": {
        cursor = afterFailure(cursor, result, ports);
        logFailure(ports.log, webhook, cursor, result.code);
        await save(cursor.disabled === null ? [] : [disabledEntry(webhook, cursor, row, ports)]);
        return false;
      }
      default:
        return assertNever(result);
    }
  };

  const skip = (row: AuditRow): void => {
    cursor = { ...cursor, seq: row.seq };
  };

  return coalesceRuns(async () => {
    while (!isWaiting()) {
      const rows = await store.auditEvents({ after: cursor.seq, limit: batchMax });
      for (const row of rows) {
        const head = recordHead(row);
        if (head === undefined || !matchesEvents(webhook.events, head.action)) skip(row);
        else if (!(await settle(row, await deliver(webhook, messageOf(row, head), signal)))) return;
      }
      if (cursor.seq - savedSeq >= unsavedMax) await save();
      if (rows.length < batchMax) return;
    }
  });
}

function afterFailure(
  before: Cursor,
  result: Extract<DeliveryResult, { kind: "gone" | "failed" }>,
  { now, random }: Pick<PumpPorts, "now" | "random">,
): Cursor {
  const at = now();
  const attempts = before.attempts + 1;
  const failingSince = before.failingSince ?? at;
  const isGone = result.kind === "gone" || at - failingSince >= goneAfterMs;
  const requestedMs = result.kind === "failed" ? (result.retryAfterMs ?? 0) : 0;
  const dueAt = isGone ? null : plus(at, Math.max(waitMs(attempts, random()), requestedMs));
  return { ...before, attempts, failingSince, dueAt, disabled: isGone ? result.code : null };
}

function logFailure(
  log: WebhookLog,
  { name }: Webhook,
  { attempts, dueAt, disabled }: Cursor,
  code: string,
): void {
  const facts = { webhook: name, code, attempts };
  if (disabled !== null) log.error(facts, "webhook disabled");
  else log.warn({ ...facts, ...(dueAt !== null && { nextAt: formatInstant(dueAt) }) }, "webhook failed");
}

/** Recorded in the audit log, so that the other webhooks report it. */
function disabledEntry(
  { name }: Webhook,
  { attempts, failingSince, disabled }: Cursor,
  row: AuditRow,
  { now }: Pick<PumpPorts, "now">,
): AuditEntry {
  return {
    at: now(),
    action: "notification.failed",
    actor: systemActor,
    data: {
      surface: "webhook",
      what: name,
      code: disabled,
      attempts,
      since: failingSince === null ? null : formatInstant(failingSince),
      waitingSeq: row.seq,
    },
  };
}

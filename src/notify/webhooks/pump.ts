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
/** So many records that a webhook does not want are passed over before that is written down. */
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
 * Sends one webhook the audit events it wants: in order, each until it has arrived, before the next. Where it stands is
 * kept in the store, so a restart goes on there; between an arrival and its being written down lies at most one repeat,
 * under the same id.
 *
 * - **delivering**: `attempts` 0. Goes on until there is nothing more.
 * - **waiting**: an attempt failed. Nothing is sent until `dueAt`; then the same event again.
 * - **disabled**: the receiver said 410, or nothing has arrived for {@link goneAfterMs}. Nothing is sent until the
 *   webhooks are configured anew, at a start or reload; then it goes on with the same event. Nothing is lost meanwhile.
 *
 * The answer is called whenever there may be something to do, and returns when there is nothing left to do now.
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

  /** Whether to go on with the next record. The new place holds at once, also when it cannot be written down. */
  const settle = async (row: AuditRow, outcome: DeliveryResult): Promise<boolean> => {
    switch (outcome.kind) {
      case "delivered":
        if (cursor.attempts > 0) ports.log.info({ webhook: webhook.name }, "webhook delivers again");
        cursor = { ...cursor, seq: row.seq, attempts: 0, failingSince: null, dueAt: null };
        await save();
        return true;
      case "stopped":
        return false;
      case "gone":
      case "failed": {
        cursor = afterFailure(cursor, outcome, ports);
        logFailure(ports.log, webhook, cursor, outcome.code);
        await save(cursor.disabled === null ? [] : [disabledEntry(webhook, cursor, row, ports)]);
        return false;
      }
      default:
        return assertNever(outcome);
    }
  };

  const passOver = (row: AuditRow): void => {
    cursor = { ...cursor, seq: row.seq };
  };

  return coalesceRuns(async () => {
    while (!isWaiting()) {
      const rows = await store.auditEvents({ after: cursor.seq, limit: batchMax });
      for (const row of rows) {
        const head = recordHead(row);
        if (head === undefined || !matchesEvents(webhook.events, head.action)) passOver(row);
        else if (!(await settle(row, await deliver(webhook, messageOf(row, head), signal)))) return;
      }
      if (cursor.seq - savedSeq >= unsavedMax) await save();
      if (rows.length < batchMax) return;
    }
  });
}

function afterFailure(
  before: Cursor,
  outcome: Extract<DeliveryResult, { kind: "gone" | "failed" }>,
  { now, random }: Pick<PumpPorts, "now" | "random">,
): Cursor {
  const at = now();
  const attempts = before.attempts + 1;
  const failingSince = before.failingSince ?? at;
  const isGone = outcome.kind === "gone" || at - failingSince >= goneAfterMs;
  const asked = outcome.kind === "failed" ? (outcome.retryAfterMs ?? 0) : 0;
  const dueAt = isGone ? null : plus(at, Math.max(waitMs(attempts, random()), asked));
  return { ...before, attempts, failingSince, dueAt, disabled: isGone ? outcome.code : null };
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

/** The alert that goes on record: everybody else who follows the log hears of it. */
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

import type Database from "better-sqlite3";
import { assertNever } from "../../../core/values/assert.ts";
import type { CommitResult, Step, Write } from "../../../service/ports/store.ts";
import { lazy } from "../tables/lazy.ts";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { prepareAddressWrites } from "./write-addresses.ts";
import { prepareIdempotencyWrite } from "./write-idempotency-record.ts";
import { prepareAudit } from "./append-audit.ts";
import { prepareClockWrites } from "./write-clock-mark.ts";
import { prepareDeliveryWrites } from "./write-deliveries.ts";
import { prepareCounters } from "./write-counters.ts";
import { prepareCursorWrites } from "./write-cursors.ts";
import { prepareDirectoryWrites } from "./write-directory.ts";
import { prepareExpectations } from "./check-expectations.ts";
import { prepareGrantWrites } from "./write-grant.ts";
import { prepareOutboxWrites } from "./write-outbox.ts";
import { prepareRequestWrites, prepareStatusColumns } from "./write-request.ts";
import { prepareRulebookWrites } from "./write-rulebook.ts";
import { grantWritten, requestWritten, versionAfter } from "../../shared/step-records.ts";
import type { Conflict, Tables } from "../tables/placeholders.ts";
import { prepareUniqueNames } from "./write-unique-names.ts";

/**
 * Writes a step inside a transaction that the caller has opened and ends. The first conflict found is returned and
 * leaves the step half written: the caller takes it back. Statements are prepared once, and those of a kind when the first
 * step of it comes: a start writes that it has read its configuration, and nothing else.
 */
export function createStepWriter(client: Database.Database): (step: Step) => CommitResult {
  const tables = drizzle(client);
  const expectations = prepareExpectations(tables);
  const unique = lazy(() => prepareUniqueNames(tables));
  const counters = lazy(() => prepareCounters(tables));
  const outbox = lazy(() => prepareOutboxWrites(tables));
  const idempotencyRecord = lazy(() => prepareIdempotencyWrite(tables));
  const write = prepareWrites(tables, outbox);
  const audit = prepareAudit(tables);
  return (step) => {
    const conflict =
      first(step.expects, expectations.check) ??
      first(step.unique, (change) => unique().change(change)) ??
      first(step.counters, (change) => counters().change(change)) ??
      write(step);
    if (conflict !== undefined) return conflict;
    audit.append(step.audit);
    for (const effect of step.effects) outbox().add(effect);
    if (step.idempotencyRecord !== undefined) idempotencyRecord().put(step.idempotencyRecord);
    return { ok: true };
  };
}

function first<T>(items: readonly T[], check: (item: T) => Conflict | undefined): Conflict | undefined {
  for (const item of items) {
    const conflict = check(item);
    if (conflict !== undefined) return conflict;
  }
  return undefined;
}

function prepareWrites(
  tables: Tables,
  outbox: () => ReturnType<typeof prepareOutboxWrites>,
): (step: Step) => Conflict | undefined {
  const requests = lazy(() => prepareRequestWrites(tables));
  const grants = lazy(() => prepareGrantWrites(tables));
  const statusColumns = lazy(() => prepareStatusColumns(tables));
  const directory = lazy(() => prepareDirectoryWrites(tables));
  const rulebook = lazy(() => prepareRulebookWrites(tables));
  const cursors = lazy(() => prepareCursorWrites(tables));
  const deliveries = lazy(() => prepareDeliveryWrites(tables));
  const addresses = lazy(() => prepareAddressWrites(tables));
  const clock = lazy(() => prepareClockWrites(tables));
  const writeOne = (write: Write, step: Step): Conflict | undefined => {
    switch (write.kind) {
      case "request":
        return requests().write(
          write.value,
          write.dueAt,
          versionAfter(step, "request", write.value.id),
          grantWritten(step, write.value.grantId),
        );
      case "grant":
        grants().write(write.value, versionAfter(step, "grant", write.value.id));
        if (requestWritten(step, write.value.requestId) === undefined) statusColumns().put(write.value);
        return undefined;
      case "credentialFirstUsed":
        return grants().firstUsed(write.id, write.at);
      case "identity":
        return directory().identity(write.value, versionAfter(step, "identity", write.value.id));
      case "key":
        return directory().key(write.value, versionAfter(step, "key", write.value.id));
      case "policy":
        return rulebook().policy(write.value);
      case "policyDeleted":
        return rulebook().policyDeleted(write.id);
      case "rules":
        return rulebook().rules(write.value, write.source);
      case "lockdown":
        return rulebook().lockdown(write.on);
      case "effectLeased":
      case "effectSettled":
      case "effectReleased":
        return outbox().change(write);
      case "leasesEnded":
        return outbox().endLeases(write.at);
      case "cursor":
        return cursors().put(write.value);
      case "cursorDropped":
        return cursors().drop(write.name);
      case "deliveryAdded":
      case "deliveryUpdated":
        return deliveries().write(write);
      case "address":
      case "addressGone":
        return addresses().write(write);
      case "clockMark":
        return clock().raise(write.at);
      case "clockLowered":
        return clock().lower(write.from, write.at);
      default:
        return assertNever(write);
    }
  };
  return (step) => {
    const conflict = first(step.writes, (write) => writeOne(write, step));
    if (conflict === undefined && step.writes.some(isOfRulebook)) rulebook().raiseVersion();
    return conflict;
  };
}

function isOfRulebook({ kind }: Write): boolean {
  return kind === "policy" || kind === "policyDeleted" || kind === "rules" || kind === "lockdown";
}

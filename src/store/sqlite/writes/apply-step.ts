import type Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { assertNever } from "../../../core/values/assert.ts";
import type { CommitResult, Step, Write } from "../../../service/ports/store.ts";
import { grantWritten, requestWritten, versionAfter } from "../../shared/step-records.ts";
import type { Db } from "../tables/database.ts";
import { prepareApiKeyWrites } from "./api-keys.ts";
import { prepareAuditWrites } from "./audit-events.ts";
import { prepareExpectations } from "./check-expectations.ts";
import { prepareClockWrites } from "./clock-mark.ts";
import type { Conflict } from "./conflict.ts";
import { prepareCounterWrites } from "./counters.ts";
import { prepareCursorWrites } from "./cursors.ts";
import { prepareDeliveryWrites } from "./deliveries.ts";
import { prepareGrantWrites } from "./grants.ts";
import { prepareIdempotencyWrites } from "./idempotency-records.ts";
import { prepareIdentityWrites } from "./identities.ts";
import { isEffectChange, prepareOutboxWrites, type EffectChange } from "./outbox.ts";
import { preparePolicyWrites } from "./policies.ts";
import { prepareStatusWrites } from "./request-status.ts";
import { prepareRequestWrites } from "./requests.ts";
import { prepareRulebookWrites } from "./rulebook.ts";
import { prepareAddressWrites } from "./surface-addresses.ts";
import { prepareUniqueNameWrites } from "./unique-names.ts";

/**
 * Writes a step inside the caller's transaction. Returns the first conflict and leaves the step half written: the caller
 * rolls it back.
 */
export function createStepWriter(client: Database.Database): (step: Step) => CommitResult {
  const db = drizzle(client);
  const writers = prepareWriters(db);
  const expectations = prepareExpectations(db);
  const unique = prepareUniqueNameWrites(db);
  const idempotencyRecords = prepareIdempotencyWrites(db);
  const audit = prepareAuditWrites(db);
  return (step) => {
    const conflict =
      firstConflict(step.expects, expectations.check) ??
      firstConflict(step.unique, unique.change) ??
      firstConflict(step.counters, writers.counters.change) ??
      firstConflict(step.writes, (write) => {
        if (isEffectChange(write)) return writers.outbox.change(write);
        applyWrite(writers, write, step);
        return undefined;
      });
    if (conflict !== undefined) return conflict;
    if (step.writes.some(isOfRulebook)) writers.rulebook.raiseVersion();
    audit.append(step.audit);
    for (const effect of step.effects) writers.outbox.add(effect);
    if (step.idempotencyRecord !== undefined) idempotencyRecords.put(step.idempotencyRecord);
    return { ok: true };
  };
}

function firstConflict<T>(
  items: readonly T[],
  check: (item: T) => Conflict | undefined,
): Conflict | undefined {
  for (const item of items) {
    const conflict = check(item);
    if (conflict !== undefined) return conflict;
  }
  return undefined;
}

type Writers = ReturnType<typeof prepareWriters>;

function prepareWriters(db: Db) {
  return {
    requests: prepareRequestWrites(db),
    status: prepareStatusWrites(db),
    grants: prepareGrantWrites(db),
    identities: prepareIdentityWrites(db),
    apiKeys: prepareApiKeyWrites(db),
    policies: preparePolicyWrites(db),
    rulebook: prepareRulebookWrites(db),
    outbox: prepareOutboxWrites(db),
    counters: prepareCounterWrites(db),
    cursors: prepareCursorWrites(db),
    deliveries: prepareDeliveryWrites(db),
    addresses: prepareAddressWrites(db),
    clock: prepareClockWrites(db),
  };
}

/** Every write but the changes of effects, which alone can conflict. */
function applyWrite(writers: Writers, write: Exclude<Write, EffectChange>, step: Step): void {
  switch (write.kind) {
    case "request":
      return writers.requests.write(
        write.value,
        write.dueAt,
        versionAfter(step, "request", write.value.id),
        grantWritten(step, write.value.grantId),
      );
    case "grant":
      writers.grants.write(write.value, versionAfter(step, "grant", write.value.id));
      if (requestWritten(step, write.value.requestId) === undefined) writers.status.putFromGrant(write.value);
      return;
    case "credentialFirstUsed":
      return writers.grants.firstCredentialUse(write.id, write.at);
    case "identity":
      return writers.identities.write(write.value, versionAfter(step, "identity", write.value.id));
    case "key":
      return writers.apiKeys.write(write.value, versionAfter(step, "key", write.value.id));
    case "policy":
      return writers.policies.put(write.value);
    case "policyDeleted":
      return writers.policies.remove(write.id);
    case "rules":
      return writers.rulebook.setRules(write.value, write.source);
    case "lockdown":
      return writers.rulebook.setLockdown(write.on);
    case "leasesEnded":
      return writers.outbox.endLeases(write.at);
    case "cursor":
      return writers.cursors.put(write.value);
    case "cursorDropped":
      return writers.cursors.remove(write.name);
    case "deliveryAdded":
    case "deliveryUpdated":
      return writers.deliveries.write(write);
    case "address":
    case "addressGone":
      return writers.addresses.write(write);
    case "clockMark":
      return writers.clock.raise(write.at);
    case "clockLowered":
      writers.clock.lower(write.at);
      writers.outbox.lowerTimes(write.from, write.at);
      writers.counters.lowerTimes(write.at);
      return;
    default:
      return assertNever(write);
  }
}

function isOfRulebook({ kind }: Write): boolean {
  return kind === "policy" || kind === "policyDeleted" || kind === "rules" || kind === "lockdown";
}

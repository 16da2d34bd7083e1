import { and, eq, gt, lte, sql } from "drizzle-orm";
import { destinationOf, orderingKeyOf } from "../../../core/effects/ordering-keys.ts";
import { assertNever } from "../../../core/values/assert.ts";
import type { Instant } from "../../../core/values/ids.ts";
import type { NewEffect, Write } from "../../../service/ports/store.ts";
import type { Db } from "../tables/database.ts";
import { outbox } from "../tables/outbox.ts";
import { placeholder, placeholdersFor, type NewRow } from "../tables/placeholders.ts";
import type { Conflict } from "./conflict.ts";

/** What the relay does with an effect. Each change names the lease it was made under. */
export type EffectChange = Extract<Write, { kind: "effectLeased" | "effectSettled" | "effectReleased" }>;

export function isEffectChange(write: Write): write is EffectChange {
  return write.kind === "effectLeased" || write.kind === "effectSettled" || write.kind === "effectReleased";
}

export function prepareOutboxWrites(db: Db) {
  const statements = prepareStatements(db);
  const changedRows = (change: EffectChange): number => {
    const { kind, id, lease } = change;
    switch (kind) {
      case "effectLeased":
        return statements.lease.run({ id, lease, readyAt: change.until }).changes;
      case "effectSettled":
        return statements.settle.run({ id, lease }).changes;
      case "effectReleased":
        return statements.release.run({ id, lease, readyAt: change.dueAt, lastError: change.error }).changes;
      default:
        return assertNever(kind);
    }
  };
  return {
    add: (effect: NewEffect): void => void statements.add.run(rowOf(effect)),
    change: (change: EffectChange): Conflict | undefined =>
      changedRows(change) === 1 ? undefined : { conflict: "version", what: `effect:${change.id}` },
    endLeases: (now: Instant): void => void statements.endLeases.run({ readyAt: now }),
    /** After the clock was lowered from `from` to `at`: what had become due in between is due at `at`. */
    lowerTimes: (from: Instant, at: Instant): void => void statements.lowerTimes.run({ from, at }),
  };
}

function rowOf({ id, effect, dueAt }: NewEffect): NewRow<typeof outbox> {
  return {
    id,
    orderingKey: orderingKeyOf(effect),
    destination: destinationOf(effect),
    createdAt: dueAt,
    readyAt: dueAt,
    lease: 0,
    attempts: 0,
    lastError: null,
    effect,
  };
}

function prepareStatements(db: Db) {
  const row = placeholdersFor(outbox);
  const { readyAt, lastError } = row;
  const isHeld = and(eq(outbox.id, sql.placeholder("id")), eq(outbox.lease, sql.placeholder("lease")));
  const at = placeholder("at", outbox.readyAt);
  return {
    add: db.insert(outbox).values(row).prepare(),
    lease: db
      .update(outbox)
      .set({ readyAt, lease: sql`${outbox.lease} + 1` })
      .where(isHeld)
      .prepare(),
    // `attempts` counts returned leases, so lease > attempts means a lease in use. An effect that once lost its lease is
    // retried a little early, which does no harm.
    endLeases: db
      .update(outbox)
      .set({ readyAt })
      .where(and(gt(outbox.readyAt, readyAt), gt(outbox.lease, outbox.attempts)))
      .prepare(),
    settle: db.delete(outbox).where(isHeld).prepare(),
    release: db
      .update(outbox)
      .set({ readyAt, attempts: sql`${outbox.attempts} + 1`, lastError })
      .where(isHeld)
      .prepare(),
    lowerTimes: db
      .update(outbox)
      .set({ createdAt: sql`min(${outbox.createdAt}, ${at})`, readyAt: sql`min(${outbox.readyAt}, ${at})` })
      .where(lte(outbox.createdAt, sql.placeholder("from")))
      .prepare(),
  };
}

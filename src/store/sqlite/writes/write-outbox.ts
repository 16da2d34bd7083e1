import { assertNever } from "../../../core/values/assert.ts";
import type { Instant } from "../../../core/values/ids.ts";
import { destinationOf, orderingKeyOf } from "../../../core/effects/ordering-keys.ts";
import type { NewEffect, Write } from "../../../service/ports/store.ts";
import { and, eq, gt, sql } from "drizzle-orm";
import { outbox } from "../tables/schema.ts";
import { prepareWrite } from "../tables/prepare-write.ts";
import { placeholder, type Conflict, type Tables } from "../tables/placeholders.ts";

type EffectChange = Extract<Write, { kind: "effectLeased" | "effectSettled" | "effectReleased" }>;

/** Writes effects, and what the relay does with them. Each change names the lease it was made under. */
export function prepareOutboxWrites(tables: Tables) {
  const statements = prepareStatements(tables);
  const changed = (change: EffectChange): number => {
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
    add: ({ id, effect, dueAt }: NewEffect): void => {
      statements.add.run({ id, effect, lane: orderingKeyOf(effect), way: destinationOf(effect), dueAt });
    },
    change: (change: EffectChange): Conflict | undefined =>
      changed(change) === 1 ? undefined : { conflict: "version", what: `effect:${change.id}` },
    endLeases: (now: Instant): undefined => void statements.endLeases.run({ readyAt: now }),
  };
}

function prepareStatements(tables: Tables) {
  const id = placeholder("id", outbox.id);
  const readyAt = placeholder("readyAt", outbox.readyAt);
  const dueAt = placeholder("dueAt", outbox.createdAt);
  const held = and(eq(outbox.id, id), eq(outbox.lease, placeholder("lease", outbox.lease)));
  return {
    add: prepareWrite(
      tables,
      tables.insert(outbox).values({
        id,
        lane: placeholder("lane", outbox.lane),
        way: placeholder("way", outbox.way),
        createdAt: dueAt,
        readyAt: dueAt,
        lease: 0,
        attempts: 0,
        effect: placeholder("effect", outbox.effect),
      }),
    ),
    lease: prepareWrite(
      tables,
      tables
        .update(outbox)
        .set({ readyAt, lease: sql`${outbox.lease} + 1` })
        .where(held),
    ),
    // Each lease that came back was counted as an attempt. What once did not is tried a little early: no harm.
    endLeases: prepareWrite(
      tables,
      tables
        .update(outbox)
        .set({ readyAt })
        .where(and(gt(outbox.readyAt, readyAt), gt(outbox.lease, outbox.attempts))),
    ),
    settle: prepareWrite(tables, tables.delete(outbox).where(held)),
    release: prepareWrite(
      tables,
      tables
        .update(outbox)
        .set({
          readyAt,
          attempts: sql`${outbox.attempts} + 1`,
          lastError: placeholder("lastError", outbox.lastError),
        })
        .where(held),
    ),
  };
}

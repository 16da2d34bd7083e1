import { dayMs, plus } from "../../../core/values/time.ts";
import type { KeptAnswer } from "../../../service/ports/store.ts";
import { inArray, lte, sql } from "../tables/drizzle.ts";
import { answers } from "../tables/schema.ts";
import { prepareWrite } from "../tables/prepare-write.ts";
import { hole, type Tables } from "../tables/placeholders.ts";

/** How long an answer is kept (contract 3). */
const keptMs = dayMs;
/** Old answers removed with each new one: more than one, so that a backlog shrinks, and few, so that none waits. */
const prunedMax = 20;

/** Keeps the answers of calls with an Idempotency-Key. A new answer to the same call takes the place of the old. */
export function prepareAnswerWrite(tables: Tables) {
  const changing = {
    bodyHash: hole("bodyHash", answers.bodyHash),
    status: hole("status", answers.status),
    body: hole("body", answers.body),
    at: hole("at", answers.at),
  };
  const put = prepareWrite(
    tables,
    tables
      .insert(answers)
      .values({
        keyId: hole("keyId", answers.keyId),
        call: hole("call", answers.call),
        idempotencyKey: hole("idempotencyKey", answers.idempotencyKey),
        ...changing,
      })
      .onConflictDoUpdate({ target: [answers.keyId, answers.call, answers.idempotencyKey], set: changing }),
  );
  const rowid = sql<number>`rowid`;
  const old = tables
    .select({ rowid })
    .from(answers)
    .where(lte(answers.at, hole("before", answers.at)))
    .limit(prunedMax);
  const prune = prepareWrite(tables, tables.delete(answers).where(inArray(rowid, old)));
  return {
    keep: (answer: KeptAnswer): void => {
      put.run({ ...answer });
      prune.run({ before: plus(answer.at, -keptMs) });
    },
  };
}

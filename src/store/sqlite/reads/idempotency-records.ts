import { and, eq, sql } from "drizzle-orm";
import type { Reads } from "../../../service/ports/store.ts";
import type { Db } from "../tables/database.ts";
import { idempotencyRecords } from "../tables/idempotency-records.ts";

export function createIdempotencyReads(db: Db): Pick<Reads, "idempotencyRecord"> {
  const statement = db
    .select()
    .from(idempotencyRecords)
    .where(
      and(
        eq(idempotencyRecords.keyId, sql.placeholder("keyId")),
        eq(idempotencyRecords.call, sql.placeholder("call")),
        eq(idempotencyRecords.idempotencyKey, sql.placeholder("idempotencyKey")),
      ),
    )
    .prepare();
  return {
    idempotencyRecord: async (keyId, call, idempotencyKey) => statement.get({ keyId, call, idempotencyKey }),
  };
}

import type { Write } from "../../../service/ports/store.ts";
import { eq } from "../tables/drizzle.ts";

import { copies } from "../tables/schema.ts";
import { prepareWrite } from "../tables/prepare-write.ts";
import { hole, type Conflict, type Tables } from "../tables/placeholders.ts";

type CopyWrite = Extract<Write, { kind: "copyWanted" | "copyTold" }>;

export function prepareCopyWrites(tables: Tables): {
  readonly write: (write: CopyWrite) => Conflict | undefined;
} {
  const wanted = prepareWrite(
    tables,
    tables
      .insert(copies)
      .values({
        id: hole("id", copies.id),
        requestId: hole("requestId", copies.requestId),
        notice: hole("notice", copies.notice),
        surface: hole("surface", copies.surface),
        address: hole("address", copies.address),
        audience: hole("audience", copies.audience),
        readerId: hole("readerId", copies.readerId),
        state: hole("state", copies.state),
        ref: hole("ref", copies.ref),
        fault: hole("fault", copies.fault),
        at: hole("at", copies.at),
      })
      .onConflictDoNothing(),
  );
  const told = prepareWrite(
    tables,
    tables
      .update(copies)
      .set({
        state: hole("state", copies.state),
        ref: hole("ref", copies.ref),
        fault: hole("fault", copies.fault),
        at: hole("at", copies.at),
      })
      .where(eq(copies.id, hole("id", copies.id))),
  );
  return {
    write: (write) => {
      if (write.kind === "copyWanted") wanted.run({ ...write.value });
      else told.run({ id: write.id, state: write.state, ref: write.ref, fault: write.fault, at: write.at });
      return undefined;
    },
  };
}

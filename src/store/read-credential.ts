import { assert, present } from "../core/assert.ts";
import { hasStarted } from "../core/grant.ts";
import type { Reads } from "../service/ports.ts";
import { eq } from "./drizzle.ts";
import { reading } from "./faults.ts";
import { credentials, grants, identities } from "./schema.ts";
import type { SinceCommit } from "./since-commit.ts";
import type { Snapshot } from "./snapshot.ts";
import { hole, type Tables } from "./tables.ts";

/**
 * What a presented token stands for: asked at every check, so little is read. Its holder is remembered until the next
 * commit; nothing can be written between the two reads, for they happen in one turn.
 */
export function createCredentialReads(
  tables: Tables,
  sinceCommit: SinceCommit,
  snapshot: Snapshot,
): Pick<Reads, "credential"> {
  const credential = tables
    .select({
      credentialId: credentials.id,
      current: credentials.current,
      firstUsedAt: credentials.firstUsedAt,
      grant: grants.value,
    })
    .from(credentials)
    .innerJoin(grants, eq(grants.id, credentials.grantId))
    .where(eq(credentials.hash, hole("hash", credentials.hash)))
    .prepare();
  const identity = tables
    .select({ value: identities.value })
    .from(identities)
    .where(eq(identities.id, hole("id", identities.id)))
    .prepare();
  const holder = sinceCommit.remembering((id) => identity.get({ id })?.value);
  return {
    credential: async (hash) =>
      reading(() => {
        snapshot.hold();
        const row = credential.get({ hash });
        if (row === undefined) return undefined;
        const { credentialId, current, firstUsedAt, grant } = row;
        assert(hasStarted(grant), "what has a credential has started");
        const held = present(holder(grant.subjectId), "the holder of a grant");
        return { credentialId, current, firstUsedAt, grant, identity: held };
      }),
  };
}

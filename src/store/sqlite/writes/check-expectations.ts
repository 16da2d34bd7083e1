import type { Expectation } from "../../../service/ports/store.ts";
import { eq } from "drizzle-orm";
import { prepareRead } from "../tables/prepare-read.ts";
import { apiKeys, grants, identities, requests, rulebook } from "../tables/schema.ts";
import { placeholder, type Conflict, type Tables } from "../tables/placeholders.ts";

/** Checks that what a step was decided from is still so. */
export function prepareExpectations(tables: Tables) {
  const statements = {
    request: prepareVersion(tables, requests),
    grant: prepareVersion(tables, grants),
    identity: prepareVersion(tables, identities),
    key: prepareVersion(tables, apiKeys),
    rulebook: prepareVersion(tables, rulebook),
  };
  return {
    check: ({ kind, id, version }: Expectation): Conflict | undefined => {
      const [found] = statements[kind].get(id) ?? [0];
      return found === version ? undefined : { conflict: "version", what: `${kind}:${id}` };
    },
  };
}

function prepareVersion(
  tables: Tables,
  table: typeof requests | typeof grants | typeof identities | typeof apiKeys | typeof rulebook,
) {
  const { id, version } = table;
  return prepareRead(tables, [version], (selected) =>
    selected.from(table).where(eq(id, placeholder("id", id))),
  );
}

import { assertNever } from "../core/assert.ts";
import type { Expectation } from "../service/ports.ts";
import { eq } from "./drizzle.ts";
import { apiKeys, grants, identities, requests, rulebook } from "./schema.ts";
import { hole, type Conflict, type Tables } from "./tables.ts";

/** Checks that what a step was decided from is still so. */
export function prepareExpectations(tables: Tables) {
  const { version } = requests;
  const statements = {
    request: tables
      .select({ version })
      .from(requests)
      .where(eq(requests.id, hole("id", requests.id)))
      .prepare(),
    grant: tables
      .select({ version: grants.version })
      .from(grants)
      .where(eq(grants.id, hole("id", grants.id)))
      .prepare(),
    identity: tables
      .select({ version: identities.version })
      .from(identities)
      .where(eq(identities.id, hole("id", identities.id)))
      .prepare(),
    key: tables
      .select({ version: apiKeys.version })
      .from(apiKeys)
      .where(eq(apiKeys.id, hole("id", apiKeys.id)))
      .prepare(),
    rulebook: tables.select({ version: rulebook.version }).from(rulebook).prepare(),
  };
  const versionOf = ({ kind, id }: Expectation): number => {
    switch (kind) {
      case "request":
        return statements.request.get({ id })?.version ?? 0;
      case "grant":
        return statements.grant.get({ id })?.version ?? 0;
      case "identity":
        return statements.identity.get({ id })?.version ?? 0;
      case "key":
        return statements.key.get({ id })?.version ?? 0;
      case "rulebook":
        return statements.rulebook.get()?.version ?? 0;
      default:
        return assertNever(kind);
    }
  };
  return {
    check: (expected: Expectation): Conflict | undefined =>
      versionOf(expected) === expected.version
        ? undefined
        : { conflict: "version", what: `${expected.kind}:${expected.id}` },
  };
}

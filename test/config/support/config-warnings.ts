import { readConfigFile } from "../../../src/config/config-file.ts";
import { configurationWarnings } from "../../../src/core/policy/configuration-warnings.ts";
import { unresolvedSelectors } from "../../../src/core/policy/unresolved-names.ts";

/** Warnings about a file, as `path: message`. */
export function warningsOf(content: object | string): readonly string[] {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  const read = readConfigFile(text, "jit.yaml", { ORDERS_DB: "postgres://broker:secret@127.0.0.1/orders" });
  if ("problems" in read)
    throw new Error(read.problems.map((one) => `${one.path} ${one.message}`).join("; "));
  const people = read.ok.identities.map((one) => ({ ...one, listed: true, enabled: true }));
  return [...unresolvedSelectors(read.ok, people), ...configurationWarnings(read.ok)].map(
    ({ path, message }) => `${path.join(".")}: ${message}`,
  );
}

export const identities = [
  { id: "id_dev", email: "dev@company.com", name: "Dev", groups: ["engineering"], managerId: "id_ann" },
  { id: "id_ann", email: "ann@company.com", name: "Ann", groups: ["dba", "contractors"] },
  { id: "id_bob", email: "bob@company.com", name: "Bob", groups: ["dba"] },
];
export const byDba = { stages: [{ approvers: ["group:dba"] }] };
export const asking = { name: "asks", priority: -9, approval: byDba };
export const connectors = [
  {
    name: "orders-db",
    kind: "postgres",
    url: "env:ORDERS_DB",
    resources: ["prod:orders-db"],
    actions: { read: { roles: ["orders_read"] }, export: { roles: ["orders_export"] } },
    leftoversOwner: "leftovers",
  },
];

/** A deny policy with these conditions, and one that requires approval. */
export const denied = (...conditions: readonly object[]) =>
  warningsOf({ identities, policies: [{ name: "no", deny: true, conditions }, asking], connectors });
export const condition = (type: string, operator: string, value: unknown) => ({ type, operator, value });
export const approval = (stage: object, more: object = {}) =>
  warningsOf({
    identities,
    policies: [{ name: "p", approval: { stages: [{ approvers: ["group:dba"], ...stage }], ...more } }],
  });

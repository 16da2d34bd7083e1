import canonicalize from "canonicalize";
import type { AuditEntry } from "../../core/audit/audit-record.ts";
import type { Actor } from "../../core/access/access-request.ts";
import { assertPresent } from "../../core/values/assert.ts";
import { formatInstant } from "../../core/values/time.ts";

/** RFC 8785 JSON of the record as the API shows it, without its place in the chain. */
export function auditBody({ at, action, actor, request, identity, data }: AuditEntry): string {
  // In the order of RFC 8785, which sorts names: JSON.stringify keeps the order, and leaves out what is undefined.
  const record = { action, actor: named(actor), at: formatInstant(at), data, identity, request };
  const sorted = sortedFacts(data);
  const text = sorted && JSON.stringify({ ...record, data: sorted });
  return text === undefined || mayHaveHalfPairs.test(text) ? canonicalOf(record) : text;
}

function named({ type, id, name, via, key }: Actor) {
  return { id, key: key && { id: key.id, mintedBy: key.mintedBy }, name, type, via };
}

/** A plain name stays where it is put; whole numbers would move to the front. */
const plainName = /^[A-Za-z][A-Za-z0-9_]*$/;

/** How JSON.stringify writes half a surrogate pair. */
const mayHaveHalfPairs = /\\ud[89a-f]/;

/**
 * The same facts with their names in order; undefined unless they are as flat as nearly all are. Only then JSON.stringify
 * alone, a third of the work, writes what RFC 8785 wants.
 */
function sortedFacts(data: AuditEntry["data"]): AuditEntry["data"] | undefined {
  const sorted: Record<string, unknown> = {};
  for (const name of Object.keys(data).toSorted()) {
    const fact = data[name];
    if (!plainName.test(name) || !(Array.isArray(fact) ? fact.every(isPlain) : isPlain(fact)))
      return undefined;
    sorted[name] = fact;
  }
  return sorted;
}

function isPlain(fact: unknown): boolean {
  const type = typeof fact;
  return (
    type === "string" || type === "boolean" || fact === null || fact === undefined || Number.isFinite(fact)
  );
}

/** Half a surrogate pair is no Unicode text, and RFC 8785 refuses it; in somebody's words it becomes U+FFFD. */
function canonicalOf(record: object): string {
  try {
    return assertPresent(canonicalize(record), "the JSON of an audit record");
  } catch {
    return assertPresent(canonicalize(wellFormed(record)), "the JSON of an audit record");
  }
}

function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return asUnicode(value);
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [asUnicode(key), wellFormed(item)]));
}

function asUnicode(text: string): string {
  return text.replaceAll(/\p{Surrogate}/gu, "\uFFFD");
}

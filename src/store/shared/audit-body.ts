import canonicalize from "canonicalize";
import type { AuditEntry } from "../../core/audit/audit-record.ts";
import type { Actor } from "../../core/access/access-request.ts";
import { assertPresent } from "../../core/values/assert.ts";
import { formatInstant } from "../../core/values/time.ts";

/** The RFC 8785 JSON of an audit record as the API shows it, without its place in the chain. */
export function auditBody({ at, action, actor, request, identity, data }: AuditEntry): string {
  const record = { at: formatInstant(at), action, actor: actorFields(actor), request, identity, data };
  return assertPresent(canonicalize(wellFormed(record)), "the JSON of an audit record");
}

/** Only these fields are part of the format, whatever else an actor has. */
function actorFields({ type, id, name, via, key }: Actor) {
  return { type, id, name, via, key: key && { id: key.id, mintedBy: key.mintedBy } };
}

/** Replaces unpaired surrogates, which text from a chat may contain and RFC 8785 refuses, by U+FFFD. */
function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name.toWellFormed(), wellFormed(item)]),
  );
}

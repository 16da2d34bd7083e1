import type { AuditRow } from "../ports/store.ts";

/** What a follower of the audit log needs to know of a record before it forwards it. */
export interface RecordHead {
  readonly action: string;
  /** RFC 3339. */
  readonly at: string;
}

/**
 * The record as the API shows it (docs/audit.md#the-record), as one line of JSON. It is built from the stored text, so
 * that it never changes. A body that is no JSON object was tampered with; it is included as a string.
 */
export function recordText(row: AuditRow): string {
  const { seq, body, previousHash, hash } = row;
  const chain = `"previousHash":${JSON.stringify(previousHash)},"hash":${JSON.stringify(hash)}}`;
  const inner = recordHead(row) === undefined ? `"body":${JSON.stringify(body)}` : body.trim().slice(1, -1);
  return `{"seq":${seq},${inner},${chain}`.replaceAll("\n", " ");
}

/** Undefined when the stored body was tampered with. */
export function recordHead({ body }: AuditRow): RecordHead | undefined {
  const parsed = parsedJson(body);
  if (typeof parsed !== "object" || parsed === null || !("action" in parsed) || !("at" in parsed)) {
    return undefined;
  }
  const { action, at } = parsed;
  return typeof action === "string" && typeof at === "string" ? { action, at } : undefined;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { createHmac } from "node:crypto";
import type { AuditRow } from "../../service/ports/store.ts";
import { recordText, type RecordHead } from "../../service/reports/audit-json.ts";

/** One audit event as it is sent. Every attempt has the same id and text. */
export interface Message {
  /** Receivers recognise repeats by it. Made from the record's number and hash, so it is unique. */
  readonly id: string;
  readonly body: string;
}

export function messageOf(row: AuditRow, { action, at }: RecordHead): Message {
  return {
    id: `evt_${row.seq}_${row.hash.slice(0, 24)}`,
    body: `{"type":${JSON.stringify(action)},"timestamp":${JSON.stringify(at)},"data":${recordText(row)}}`,
  };
}

/** The Standard Webhooks headers for an attempt at `atMs`. */
export function signedHeaders(
  { id, body }: Message,
  secret: string,
  atMs: number,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(atMs / 1000));
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}

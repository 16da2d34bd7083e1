import { access, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { instant, parseId, type GrantId, type Instant } from "../core/ids.ts";
import { dayMs } from "../core/time.ts";
import { ConnectorFault } from "../service/connector.ts";
import { writeAtomically } from "./atomic-file.ts";
import type { Owner } from "./label.ts";
import { formatKrl, readKrl, type SerialRange } from "./ssh-krl.ts";
import { serialsOf } from "./ssh-serials.ts";

/** Certificates have no place where they could be listed, so this file, beside the revocation list, is the target. */
export interface SshLedger {
  readonly entries: readonly LedgerEntry[];
  /** Rises with every change; the revocation list carries it. */
  readonly version: number;
}

/**
 * - live: its newest certificate is good, the earlier ones are revoked.
 * - ending: all are to be revoked; hosts may not know yet.
 * - ended: revoked, and hosts were told. Kept until no certificate could be good any more.
 */
export interface LedgerEntry {
  readonly object: string;
  readonly grantId: GrantId;
  readonly notAfter: Instant;
  readonly state: "live" | "ending" | "ended";
  /** Of the newest certificate; null before there is one. */
  readonly serial: bigint | null;
  /** No certificate of it is good after this. */
  readonly until: Instant;
}

/** The clocks of hosts may be this far behind. */
const keptAfterEndMs = dayMs;
const privateMode = 0o600;
const publicMode = 0o644;
const by = "jit-access";

/** Beside the revocation list, for they are one whole. */
export function ledgerFile(krlFile: string): string {
  return `${krlFile}.ledger`;
}

/** The ledger as it is; an empty one when there is none yet. A fault when it is another installation's or damaged. */
export async function readLedger(owner: Owner, krlFile: string): Promise<SshLedger> {
  const file = ledgerFile(krlFile);
  const text = await readIfThere(file);
  if (text === undefined) return { entries: [], version: 0 };
  const found = parse(text.toString());
  if (found === undefined) {
    throw new ConnectorFault("refused", `${owner.connector}: ${file} is damaged.`, { retryable: false });
  }
  if (found.instance !== owner.instance || found.connector !== owner.connector) {
    throw new ConnectorFault("foreign_object", `${owner.connector}: ${file} belongs to another.`, {
      retryable: false,
    });
  }
  return found;
}

/** Writes the ledger, then the revocation list that follows from it. Cut off in between, the list is behind: see {@link unrevoked}. */
export async function writeLedger(
  owner: Owner,
  krlFile: string,
  caBlob: Buffer,
  { entries, version }: SshLedger,
  now: Instant,
): Promise<void> {
  const kept = entries.filter(({ state, until }) => state !== "ended" || until + keptAfterEndMs > now);
  const next = version + 1;
  const text = JSON.stringify({
    by,
    ...owner,
    version: next,
    entries: kept.map((entry) => ({ ...entry, serial: entry.serial === null ? null : String(entry.serial) })),
  });
  await writeAtomically(ledgerFile(krlFile), `${text}\n`, privateMode);
  const list = formatKrl(caBlob, kept.flatMap(revokedOf), { version: next, at: now });
  await writeAtomically(krlFile, list, publicMode);
}

/** The serials an entry's past has made invalid. */
export function revokedOf({ object, state, serial }: LedgerEntry): readonly SerialRange[] {
  const [first, last] = serialsOf(object);
  if (state !== "live") return [[first, last]];
  return serial === null ? [] : [[first, serial - 1n]];
}

/** What the revocation list that hosts are given says; undefined when there is none that can be read. */
export async function revokedByFile(krlFile: string, caBlob: Buffer): Promise<Revoked | undefined> {
  const bytes = await readIfThere(krlFile);
  const ranges = bytes && readKrl(caBlob, bytes);
  if (ranges === undefined) return undefined;
  const lastByFirst = new Map(ranges);
  return ([first, last]) => (lastByFirst.get(first) ?? -1n) >= last;
}

/** Whether all of a range is revoked. */
export type Revoked = (range: SerialRange) => boolean;

async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    // A folder that is not there is a disk that is not mounted, and says nothing about the file.
    await access(dirname(file));
    return undefined;
  }
}

function parse(text: string): (SshLedger & Owner) | undefined {
  try {
    const fields = fieldsOf(JSON.parse(text));
    const [instance, connector, version, entries] = ["instance", "connector", "version", "entries"].map(
      (one) => fields.get(one),
    );
    if (fields.get("by") !== by || typeof instance !== "string" || typeof connector !== "string")
      return undefined;
    if (typeof version !== "number" || !Array.isArray(entries)) return undefined;
    return { instance, connector, version, entries: entries.map(entryOf) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function entryOf(value: unknown): LedgerEntry {
  const fields = fieldsOf(value);
  const text = (name: string): string => {
    const field = fields.get(name);
    if (typeof field !== "string") throw new SyntaxError(name);
    return field;
  };
  const time = (name: string): Instant => {
    const field = fields.get(name);
    if (typeof field !== "number") throw new SyntaxError(name);
    return instant(field);
  };
  const grantId = parseId("grant", text("grantId"));
  const state = (["live", "ending", "ended"] as const).find((one) => one === text("state"));
  if (grantId === undefined || state === undefined) throw new SyntaxError("entry");
  return {
    object: text("object"),
    grantId,
    notAfter: time("notAfter"),
    state,
    serial: fields.get("serial") === null ? null : BigInt(text("serial")),
    until: time("until"),
  };
}

function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  if (typeof value !== "object" || value === null) throw new SyntaxError("no object");
  return new Map<string, unknown>(Object.entries(value));
}

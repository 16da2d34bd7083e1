import { access, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { instant, parseId, type GrantId, type Instant } from "../../core/values/ids.ts";
import { ConnectorFault } from "../../service/ports/connector.ts";
import { writeAtomically } from "./atomic-file.ts";
import type { Owner } from "../shared/label.ts";
import { carriedOver, coveredBy, keptAfterEndMs, type CarriedRange } from "./carried-ranges.ts";
import { formatKrl, readKrl, type Krl, type SerialRange } from "./krl.ts";
import { serialsOf } from "./serials.ts";

/** Certificates have no place where they could be listed, so this file, beside the revocation list, is the target. */
export interface SshLedger {
  readonly entries: readonly LedgerEntry[];
  /** Revocations that no entry explains; see {@link carriedOver}. */
  readonly carried: readonly CarriedRange[];
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
  /** The public key of the CA that signed the newest certificate, as in `TrustedUserCAKeys`; null when not known. */
  readonly ca: string | null;
}

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
  if (text === undefined) return { entries: [], carried: [], version: 0 };
  const found = parse(text.toString());
  if (found === undefined) {
    throw new ConnectorFault("refused", `${owner.connector}: ${file} is damaged.`, {
      retryable: false,
      reason: `${file} is damaged`,
    });
  }
  if (found.instance !== owner.instance || found.connector !== owner.connector) {
    throw new ConnectorFault("foreign_object", `${owner.connector}: ${file} belongs to another.`, {
      retryable: false,
      reason: `${file} belongs to another installation or connector`,
    });
  }
  return found;
}

/**
 * Writes the ledger, then the revocation list that follows from it. Cut off in between, the list is behind, and
 * `listOurs` writes it anew.
 *
 * @param before As it was read.
 */
export async function writeLedger(
  owner: Owner,
  krlFile: string,
  before: SshLedger,
  entries: readonly LedgerEntry[],
  now: Instant,
): Promise<void> {
  const kept = entries.filter(({ state, until }) => state !== "ended" || until + keptAfterEndMs > now);
  const krl = await readRevocations(krlFile);
  const explained = [...before.entries, ...entries].flatMap(revokedOf);
  const carried = carriedOver(krl?.ranges ?? [], explained, before.carried, now);
  const next = before.version + 1;
  const text = JSON.stringify({
    by,
    ...owner,
    version: next,
    entries: kept.map((entry) => ({ ...entry, serial: entry.serial === null ? null : String(entry.serial) })),
    carried: carried.map(({ range, until }) => ({ range: range.map(String), until })),
  });
  await writeAtomically(ledgerFile(krlFile), `${text}\n`, privateMode);
  const ranges = [...kept.flatMap(revokedOf), ...carried.map(({ range }) => range)];
  const list = formatKrl(ranges, { version: next, at: now });
  await writeAtomically(krlFile, list, publicMode);
}

/** The serials an entry's past has made invalid. */
export function revokedOf({ object, state, serial }: LedgerEntry): readonly SerialRange[] {
  const [first, last] = serialsOf(object);
  if (state !== "live") return [[first, last]];
  return serial === null ? [] : [[first, serial - 1n]];
}

/** The revocation list that hosts are given; undefined when there is none that can be read. */
export async function readRevocations(krlFile: string): Promise<Krl | undefined> {
  const bytes = await readIfThere(krlFile);
  return bytes && readKrl(bytes);
}

/** Whether the revocation list says all that follows from the ledger, for every CA. */
export function isListComplete({ entries, carried }: SshLedger, krl: Krl | undefined): boolean {
  if (krl === undefined || !krl.holdsForEveryCa) return false;
  const expected = [...entries.flatMap(revokedOf), ...carried.map(({ range }) => range)];
  return expected.every(coveredBy(krl.ranges));
}

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
    // Ledgers of earlier versions have none.
    const carried = fields.get("carried") ?? [];
    if (fields.get("by") !== by || typeof instance !== "string" || typeof connector !== "string")
      return undefined;
    if (typeof version !== "number" || !Array.isArray(entries) || !Array.isArray(carried)) return undefined;
    return { instance, connector, version, entries: entries.map(entryOf), carried: carried.map(carriedOf) };
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
    ca: typeof fields.get("ca") === "string" ? text("ca") : null,
  };
}

function carriedOf(value: unknown): CarriedRange {
  const fields = fieldsOf(value);
  const [range, until] = [fields.get("range"), fields.get("until")];
  if (!Array.isArray(range) || range.length !== 2 || typeof until !== "number")
    throw new SyntaxError("carried");
  const [first, last] = range.map((one) => BigInt(String(one)));
  if (first === undefined || last === undefined) throw new SyntaxError("carried");
  return { range: [first, last], until: instant(until) };
}

function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  if (typeof value !== "object" || value === null) throw new SyntaxError("no object");
  return new Map<string, unknown>(Object.entries(value));
}

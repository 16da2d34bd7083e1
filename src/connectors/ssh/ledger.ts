import { access, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { instant, parseId, type GrantId, type Instant } from "../../core/values/ids.ts";
import { ConnectorFault } from "../../service/ports/connector.ts";
import { writeAtomically } from "./atomic-file.ts";
import type { Owner } from "../shared/label.ts";
import { carriedOver, coveredBy, keptAfterEndMs, type CarriedRange } from "./carried-ranges.ts";
import { formatKrl, readKrl, type Krl, type SerialRange } from "./krl.ts";
import { serialsOf } from "./serials.ts";

/** The list of issued certificates. No server can list certificates, so this file is the target that we list. */
export interface SshLedger {
  readonly entries: readonly LedgerEntry[];
  /** Revocations that no entry explains; see {@link carriedOver}. */
  readonly carried: readonly CarriedRange[];
  /** Increases with every change, and is the version of the revocation list. */
  readonly version: number;
}

/**
 * - live: the newest certificate is valid, earlier ones are revoked.
 * - ending: all certificates are revoked, but hosts may not have the new list yet.
 * - ended: all are revoked, and hosts have the list. Kept until no certificate could still be valid.
 */
export interface LedgerEntry {
  readonly object: string;
  readonly grantId: GrantId;
  readonly notAfter: Instant;
  readonly state: "live" | "ending" | "ended";
  /** The serial of the newest certificate; null before the first. */
  readonly serial: bigint | null;
  /** No certificate of this entry is valid after this. */
  readonly until: Instant;
  /** The public key of the CA that signed the newest certificate, as in `TrustedUserCAKeys`; null: unknown. */
  readonly ca: string | null;
}

const privateMode = 0o600;
const publicMode = 0o644;
const by = "jit-access";

/** Beside the revocation list, because both must be kept together. */
export function ledgerFile(krlFile: string): string {
  return `${krlFile}.ledger`;
}

/** Reads the ledger; empty when there is none yet. @throws ConnectorFault when it is damaged or belongs to another. */
export async function readLedger(owner: Owner, krlFile: string): Promise<SshLedger> {
  const file = ledgerFile(krlFile);
  const text = await readIfPresent(file);
  if (text === undefined) return { entries: [], carried: [], version: 0 };
  const found = parse(text.toString());
  if (found === undefined) {
    throw new ConnectorFault("refused", `${owner.connector}: ${file} is damaged.`, {
      retryable: false,
      reason: `${file} is damaged`,
    });
  }
  if (found.instance !== owner.instance || found.connector !== owner.connector) {
    throw new ConnectorFault(
      "foreign_object",
      `${owner.connector}: ${file} belongs to another installation or connector.`,
      {
        retryable: false,
        reason: `${file} belongs to another installation or connector`,
      },
    );
  }
  return found;
}

/**
 * Writes the ledger, then the revocation list that follows from it. After a crash in between the list is outdated, and
 * `listManaged` writes it again.
 *
 * @param before The ledger as it was read.
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

/** The serials of the entry that are revoked. */
export function revokedOf({ object, state, serial }: LedgerEntry): readonly SerialRange[] {
  const [first, last] = serialsOf(object);
  if (state !== "live") return [[first, last]];
  return serial === null ? [] : [[first, serial - 1n]];
}

/** Reads the revocation list for the hosts; undefined when it is missing or damaged. */
export async function readRevocations(krlFile: string): Promise<Krl | undefined> {
  const bytes = await readIfPresent(krlFile);
  return bytes && readKrl(bytes);
}

/** Whether the revocation list contains every revocation of the ledger, for every CA. */
export function isListComplete({ entries, carried }: SshLedger, krl: Krl | undefined): boolean {
  if (krl === undefined || !krl.appliesToEveryCa) return false;
  const expected = [...entries.flatMap(revokedOf), ...carried.map(({ range }) => range)];
  return expected.every(coveredBy(krl.ranges));
}

async function readIfPresent(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    // A missing folder means that a disk is not mounted, so the file may still exist.
    await access(dirname(file));
    return undefined;
  }
}

function parse(text: string): (SshLedger & Owner) | undefined {
  try {
    const fields = fieldsOf(JSON.parse(text));
    const [instance, connector, version, entries] = ["instance", "connector", "version", "entries"].map(
      (name) => fields.get(name),
    );
    // Ledgers of earlier versions have no carried ranges.
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
  const state = (["live", "ending", "ended"] as const).find((name) => name === text("state"));
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
  const [first, last] = range.map((serial) => BigInt(String(serial)));
  if (first === undefined || last === undefined) throw new SyntaxError("carried");
  return { range: [first, last], until: instant(until) };
}

function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  if (typeof value !== "object" || value === null) throw new SyntaxError("no object");
  return new Map<string, unknown>(Object.entries(value));
}

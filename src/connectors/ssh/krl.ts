import type { Instant } from "../../core/values/ids.ts";
import { readWire, wire, type WireReader } from "./wire.ts";

/** Both ends are included. */
export type SerialRange = readonly [first: bigint, last: bigint];

const magic = Buffer.from("SSHKRL\n\0", "latin1");
const formatVersion = 1;
const certificateSection = 1;
const serialRange = 0x21;

/** The content of a key revocation list. */
export interface Krl {
  readonly ranges: readonly SerialRange[];
  /** False for lists of earlier versions. They name one CA, and sshd ignores them for certificates of other CAs. */
  readonly appliesToEveryCa: boolean;
}

/**
 * Formats a key revocation list (OpenSSH's PROTOCOL.krl). It names no CA, so it revokes the serials of every CA, and
 * replacing the CA key undoes no revocation.
 */
export function formatKrl(
  ranges: readonly SerialRange[],
  { version, at }: { readonly version: number; readonly at: Instant },
): Buffer {
  const revoked = ranges.map(([first, last]) =>
    Buffer.concat([wire.byte(serialRange), wire.string(Buffer.concat([wire.u64(first), wire.u64(last)]))]),
  );
  const everyCa = "";
  const section = Buffer.concat([wire.string(everyCa), wire.string(""), ...revoked]);
  return Buffer.concat([
    magic,
    wire.u32(formatVersion),
    wire.u64(BigInt(version)),
    wire.u64(BigInt(Math.floor(at / 1_000))),
    wire.u64(0n),
    wire.string(""),
    wire.string("jit-access"),
    // An empty section is not allowed.
    ...(ranges.length === 0 ? [] : [wire.byte(certificateSection), wire.string(section)]),
  ]);
}

/** Reads a list written by this or an earlier version; undefined when it is damaged or from another program. */
export function readKrl(bytes: Buffer): Krl | undefined {
  try {
    if (!bytes.subarray(0, magic.length).equals(magic)) return undefined;
    const reader = readWire(bytes.subarray(magic.length));
    if (reader.u32() !== formatVersion) return undefined;
    for (let field = 0; field < 3; field++) reader.u64();
    reader.string();
    reader.string();
    return reader.isAtEnd() ? { ranges: [], appliesToEveryCa: true } : readSection(reader);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function readSection(reader: WireReader): Krl | undefined {
  if (reader.byte() !== certificateSection) return undefined;
  const section = readWire(reader.string());
  if (!reader.isAtEnd()) return undefined;
  const appliesToEveryCa = section.string().length === 0;
  section.string();
  const ranges: SerialRange[] = [];
  while (!section.isAtEnd()) {
    if (section.byte() !== serialRange) return undefined;
    const range = readWire(section.string());
    ranges.push([range.u64(), range.u64()]);
  }
  return { ranges, appliesToEveryCa };
}

import type { Instant } from "../core/ids.ts";
import { readWire, wire, type WireReader } from "./ssh-wire.ts";

/** From and to, both included. */
export type SerialRange = readonly [first: bigint, last: bigint];

const magic = Buffer.from("SSHKRL\n\0", "latin1");
const formatVersion = 1;
const certificateSection = 1;
const serialRange = 0x21;

/** A revocation list as in OpenSSH's PROTOCOL.krl, for the certificates of one CA. */
export function formatKrl(
  caBlob: Buffer,
  ranges: readonly SerialRange[],
  { version, at }: { readonly version: number; readonly at: Instant },
): Buffer {
  const revoked = ranges.map(([first, last]) =>
    Buffer.concat([wire.byte(serialRange), wire.string(Buffer.concat([wire.u64(first), wire.u64(last)]))]),
  );
  const section = Buffer.concat([wire.string(caBlob), wire.string(""), ...revoked]);
  return Buffer.concat([
    magic,
    wire.u32(formatVersion),
    wire.u64(BigInt(version)),
    wire.u64(BigInt(Math.floor(at / 1_000))),
    wire.u64(0n),
    wire.string(""),
    wire.string("jit-access"),
    // A section without anything in it is no section.
    ...(ranges.length === 0 ? [] : [wire.byte(certificateSection), wire.string(section)]),
  ]);
}

/** The ranges of a list that {@link formatKrl} has written; undefined when it is damaged or somebody else's. */
export function readKrl(caBlob: Buffer, bytes: Buffer): readonly SerialRange[] | undefined {
  try {
    if (!bytes.subarray(0, magic.length).equals(magic)) return undefined;
    const reader = readWire(bytes.subarray(magic.length));
    if (reader.u32() !== formatVersion) return undefined;
    for (let field = 0; field < 3; field++) reader.u64();
    reader.string();
    reader.string();
    return reader.isAtEnd() ? [] : readSection(caBlob, reader);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function readSection(caBlob: Buffer, reader: WireReader): readonly SerialRange[] | undefined {
  if (reader.byte() !== certificateSection) return undefined;
  const section = readWire(reader.string());
  if (!reader.isAtEnd() || !section.string().equals(caBlob)) return undefined;
  section.string();
  const ranges: SerialRange[] = [];
  while (!section.isAtEnd()) {
    if (section.byte() !== serialRange) return undefined;
    const range = readWire(section.string());
    ranges.push([range.u64(), range.u64()]);
  }
  return ranges;
}

/** Encodes the SSH data types (RFC 4251 §5) of certificates and revocation lists. */
export const wire = {
  byte: (value: number): Buffer => Buffer.from([value]),
  u32: (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  },
  u64: (value: bigint): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(value);
    return bytes;
  },
  /** Text or bytes, prefixed by their length. */
  string: (value: string | Buffer): Buffer => {
    const bytes = typeof value === "string" ? Buffer.from(value) : value;
    return Buffer.concat([wire.u32(bytes.length), bytes]);
  },
  strings: (values: readonly (string | Buffer)[]): Buffer => Buffer.concat(values.map(wire.string)),
} as const;

/** Each call reads the next field. */
export interface WireReader {
  readonly byte: () => number;
  readonly u32: () => number;
  readonly u64: () => bigint;
  readonly string: () => Buffer;
  readonly rest: () => Buffer;
  readonly isAtEnd: () => boolean;
}

/** Reads field by field. @throws RangeError when the data is shorter than its lengths say. */
export function readWire(bytes: Buffer): WireReader {
  let at = 0;
  const take = (count: number): Buffer => {
    if (count > bytes.length - at) throw new RangeError("cut short");
    at += count;
    return bytes.subarray(at - count, at);
  };
  const u32 = (): number => take(4).readUInt32BE();
  return {
    byte: () => take(1).readUInt8(),
    u32,
    u64: () => take(8).readBigUInt64BE(),
    string: () => take(u32()),
    rest: () => take(bytes.length - at),
    isAtEnd: () => at === bytes.length,
  };
}

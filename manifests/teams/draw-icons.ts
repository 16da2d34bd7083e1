import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";

/** One pixel: red, green, blue, and how much of it covers what is behind, each 0 to 255. */
type Pixel = readonly [number, number, number, number];
/** How much of a point of the unit square is drawn on: 0 or 1. */
type Shape = (x: number, y: number) => boolean;

const blue: Pixel = [0x1d, 0x35, 0x57, 255];
const white: Pixel = [255, 255, 255, 255];
/** Points looked at in each direction of a pixel, for soft edges. */
const samples = 4;

/** A key: ring, shaft and two teeth. */
const key: Shape = (x, y) => {
  const fromRing = Math.hypot(x - 0.36, y - 0.36);
  const along = (x + y - 0.72) / Math.SQRT2;
  const aside = (y - x) / Math.SQRT2;
  const isRing = fromRing <= 0.2 && fromRing >= 0.11;
  const isShaft = along >= 0.16 && along <= 0.62 && Math.abs(aside) <= 0.045;
  const isTooth = (from: number): boolean =>
    along >= from && along <= from + 0.08 && aside >= 0 && aside <= 0.16;
  return isRing || isShaft || isTooth(0.54) || isTooth(0.4);
};

/** The two icons Teams wants: in colour on a full square, and white on nothing. */
export function drawIcons(): { readonly color: Buffer; readonly outline: Buffer } {
  return {
    color: png(192, (cover) => mixed(blue, white, cover)),
    outline: png(32, (cover) => [255, 255, 255, Math.round(cover * 255)]),
  };
}

function mixed(under: Pixel, over: Pixel, cover: number): Pixel {
  const part = (at: 0 | 1 | 2): number => Math.round(under[at] + (over[at] - under[at]) * cover);
  return [part(0), part(1), part(2), 255];
}

function png(size: number, pixelOf: (cover: number) => Pixel): Buffer {
  const places = Array.from({ length: size }, (_, at) => at);
  const rowAt = (row: number): Buffer =>
    Buffer.from([0, ...places.flatMap((column) => pixelOf(coverAt(column, row, size)))]);
  const rows = places.map(rowAt);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  // Eight bits for each of red, green, blue and cover.
  header.set([8, 6, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.concat(rows), { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function coverAt(column: number, row: number, size: number): number {
  let drawn = 0;
  for (let at = 0; at < samples ** 2; at++) {
    const x = (column + ((at % samples) + 0.5) / samples) / size;
    const y = (row + (Math.floor(at / samples) + 0.5) / samples) / size;
    if (key(x, y)) drawn++;
  }
  return drawn / samples ** 2;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "ascii"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

if (import.meta.main) {
  const { color, outline } = drawIcons();
  writeFileSync(join(import.meta.dirname, "color.png"), color);
  writeFileSync(join(import.meta.dirname, "outline.png"), outline);
}

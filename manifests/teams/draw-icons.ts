import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";

/** One pixel: red, green, blue and opacity, each 0 to 255. */
type Pixel = readonly [number, number, number, number];
/** Whether a point of the unit square belongs to the shape. */
type Shape = (x: number, y: number) => boolean;

const blue: Pixel = [0x1d, 0x35, 0x57, 255];
const white: Pixel = [255, 255, 255, 255];
/** Points sampled in each direction of a pixel, for soft edges. */
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

/** The two icons Teams requires, as PNG: a coloured square, and a white outline on a transparent one. */
export function drawIcons(): { readonly color: Buffer; readonly outline: Buffer } {
  return {
    color: png(192, (coverage) => mix(blue, white, coverage)),
    outline: png(32, (coverage) => [255, 255, 255, Math.round(coverage * 255)]),
  };
}

function mix(under: Pixel, over: Pixel, coverage: number): Pixel {
  const channel = (index: 0 | 1 | 2): number =>
    Math.round(under[index] + (over[index] - under[index]) * coverage);
  return [channel(0), channel(1), channel(2), 255];
}

function png(size: number, pixelOf: (coverage: number) => Pixel): Buffer {
  const indexes = Array.from({ length: size }, (_, index) => index);
  const rowAt = (row: number): Buffer =>
    Buffer.from([0, ...indexes.flatMap((column) => pixelOf(coverageAt(column, row, size)))]);
  const rows = indexes.map(rowAt);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  // Eight bits for each of red, green, blue and opacity.
  header.set([8, 6, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.concat(rows), { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** The share of a pixel that the key covers. */
function coverageAt(column: number, row: number, size: number): number {
  let covered = 0;
  for (let sample = 0; sample < samples ** 2; sample++) {
    const x = (column + ((sample % samples) + 0.5) / samples) / size;
    const y = (row + (Math.floor(sample / samples) + 0.5) / samples) / size;
    if (key(x, y)) covered++;
  }
  return covered / samples ** 2;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "ascii"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** The icons as `icons.json` holds them: by their names in the app package, base64. */
function encodedIcons() {
  const { color, outline } = drawIcons();
  return { "color.png": color.toString("base64"), "outline.png": outline.toString("base64") };
}

if (import.meta.main) {
  const text = `${JSON.stringify(encodedIcons(), undefined, 2)}\n`;
  writeFileSync(join(import.meta.dirname, "icons.json"), text);
}

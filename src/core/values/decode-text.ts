/** A file's text, or a problem that completes a sentence beginning with the file's name. */
export type DecodedText = { readonly text: string } | { readonly problem: string };

const byteOrderMark = "\uFEFF";
const utf8Mark = [0xef, 0xbb, 0xbf];

/** Longer marks come first, because UTF-32's little-endian mark begins like UTF-16's. */
const marks: readonly (readonly [mark: readonly number[], encoding: string])[] = [
  [[0xff, 0xfe, 0x00, 0x00], "UTF-32"],
  [[0x00, 0x00, 0xfe, 0xff], "UTF-32"],
  [utf8Mark, "utf-8"],
  [[0xff, 0xfe], "utf-16le"],
  [[0xfe, 0xff], "utf-16be"],
];

/**
 * Decodes UTF-8, or UTF-16 with a byte order mark. The mark is dropped and every line end becomes `
 * `. Any other encoding is reported, so that no line of a file is lost silently.
 */
export function decodeText(bytes: Uint8Array): DecodedText {
  const [mark, encoding] = marks.find(([bom]) => bom.every((byte, index) => bytes[index] === byte)) ?? [
    [],
    "utf-8",
  ];
  if (encoding === "UTF-32") return { problem: "is UTF-32; save it as UTF-8" };
  const content = bytes.subarray(mark.length);
  const decoded = decodeStrictly(content, encoding);
  if (decoded === undefined) return { problem: decodingProblem(content, encoding) };
  const text = decoded.replaceAll(/\r\n?/g, "\n");
  const unexpected = /[\0\uFEFF]/.exec(text);
  if (unexpected === null) return { text };
  const line = text.slice(0, unexpected.index).split("\n").length;
  return unexpected[0] === byteOrderMark
    ? { problem: `has a byte order mark in line ${line}, where another file was appended; remove it` }
    : { problem: `has a NUL byte in line ${line}; save it as UTF-8` };
}

function decodeStrictly(bytes: Uint8Array, encoding: string): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Names the first line that is not UTF-8. Lines can be checked one by one, because in UTF-8 the byte of a line feed
 * occurs nowhere else.
 */
function decodingProblem(bytes: Uint8Array, encoding: string): string {
  if (encoding !== "utf-8") return "is broken UTF-16; save it as UTF-8";
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const next = bytes.indexOf(0x0a, start);
    const end = next === -1 ? bytes.length : next;
    if (decodeStrictly(bytes.subarray(start, end), encoding) === undefined) break;
    start = end + 1;
  }
  return `is not UTF-8 in line ${line}; save it as UTF-8`;
}

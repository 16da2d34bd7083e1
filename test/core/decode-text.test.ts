import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeText } from "../../src/core/values/decode-text.ts";

const utf16 = (text: string, isBig = false): Uint8Array => {
  const bytes = Buffer.from(`\uFEFF${text}`, "utf16le");
  return isBig ? bytes.swap16() : bytes;
};
const bytes = (...all: number[]): Uint8Array => Uint8Array.from(all);
/** Text without characters that indicate another encoding. */
const plainText = fc
  .string({ unit: "binary", maxLength: 200 })
  .filter((text) => text.isWellFormed() && !/[\0\uFEFF\r]/.test(text));

test("text in UTF-8, or in UTF-16 with a byte order mark, is decoded unchanged", () => {
  fc.assert(
    fc.property(plainText, (text) => {
      expect(decodeText(Buffer.from(text))).toEqual({ text });
      expect(decodeText(Buffer.from(`\uFEFF${text}`))).toEqual({ text });
      expect(decodeText(utf16(text))).toEqual({ text });
      expect(decodeText(utf16(text, true))).toEqual({ text });
    }),
  );
});

test("every kind of line end becomes a line feed", () => {
  expect(decodeText(Buffer.from("a\r\nb\rc\nd\r"))).toEqual({ text: "a\nb\nc\nd\n" });
});

test("any bytes decode to text without NUL and byte order mark, or to a problem", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (any) => {
      const decoded = decodeText(any);
      if ("text" in decoded) expect(decoded.text).not.toMatch(/[\0\uFEFF\r]/);
      else expect(decoded.problem).toMatch(/^(is|has) .+/);
    }),
  );
});

describe("bytes that are no text are reported:", () => {
  test.each([
    ["UTF-16 without a mark", Buffer.from("ab", "utf16le"), "has a NUL byte in line 1; save it as UTF-8"],
    ["a NUL", Buffer.from("a\nb\0c"), "has a NUL byte in line 2; save it as UTF-8"],
    ["Latin-1", bytes(0x61, 0x0a, 0x0a, 0xe4), "is not UTF-8 in line 3; save it as UTF-8"],
    ["a surrogate in UTF-8", bytes(0xed, 0xa0, 0x80), "is not UTF-8 in line 1; save it as UTF-8"],
    ["a cut UTF-8 character", bytes(0x61, 0x0a, 0xe2, 0x82), "is not UTF-8 in line 2; save it as UTF-8"],
    ["UTF-16 of an odd length", bytes(0xff, 0xfe, 0x61), "is broken UTF-16; save it as UTF-8"],
    ["half a pair in UTF-16", bytes(0xff, 0xfe, 0x00, 0xd8), "is broken UTF-16; save it as UTF-8"],
    ["UTF-32", bytes(0xff, 0xfe, 0, 0, 0x61, 0, 0, 0), "is UTF-32; save it as UTF-8"],
    [
      "two files in one",
      Buffer.from("\uFEFFa\n\uFEFFb"),
      "has a byte order mark in line 2, where another file was appended; remove it",
    ],
  ])("%s", (_what, content, problem) => {
    expect(decodeText(content)).toEqual({ problem });
  });
});

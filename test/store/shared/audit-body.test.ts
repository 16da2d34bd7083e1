import canonicalize from "canonicalize";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { AuditEntry } from "../../../src/core/audit/audit-record.ts";
import { auditBody } from "../../../src/store/shared/audit-body.ts";
import { auditFixture } from "../../support/fixtures.ts";

/** The same record by the library alone. */
function byTheLibrary(entry: AuditEntry): string | undefined {
  return canonicalize({ ...entry, at: new Date(entry.at).toISOString() });
}

const anyName = fc.oneof(
  fc.string(),
  fc.constantFrom("__proto__", "constructor", "toJSON", "10", "9", "-1", "a", "B", "a1", "é"),
);
const anyFact = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constant(undefined),
  fc.jsonValue(),
);

test("a record with any data is written as RFC 8785 requires", () => {
  fc.assert(
    fc.property(fc.dictionary(anyName, anyFact), (data) => {
      const entry = auditFixture({ data });
      expect(auditBody(entry)).toBe(byTheLibrary(entry));
    }),
    { numRuns: 2_000 },
  );
});

test("names are sorted by UTF-16 code units, also names that are whole numbers", () => {
  const data = { b: 1, a: 2, B: 3, "10": 4, "9": 5, nested: { z: 1, y: [{ b: 1, a: 2 }] } };
  const entry = auditFixture({ data });
  expect(auditBody(entry)).toBe(byTheLibrary(entry));
  expect(auditBody(entry)).toContain('"10":4,"9":5,"B":3,"a":2,"b":1,"nested":{"y":[{"a":2,"b":1}],"z":1}');
});

test("an unpaired surrogate becomes U+FFFD anywhere, and text that only looks like one stays", () => {
  const halves = auditFixture({ data: { reason: "a \ud83d b", list: ["\udd11"] } });
  const named = { ...halves, actor: { ...halves.actor, name: "Half \ud83d" }, data: {} };
  expect(JSON.parse(auditBody(halves)).data).toEqual({ reason: "a \ufffd b", list: ["\ufffd"] });
  expect(JSON.parse(auditBody(named)).actor.name).toBe("Half \ufffd");
  const looksLikeOne = auditFixture({ data: { reason: "C:\\ud83d, 🔑" } });
  expect(auditBody(looksLikeOne)).toBe(byTheLibrary(looksLikeOne));
});

test("a number that JSON cannot express is refused, and does not become null", () => {
  for (const ms of [Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => auditBody(auditFixture({ data: { ms } }))).toThrow("is not allowed");
    expect(() => auditBody(auditFixture({ data: { list: [ms] } }))).toThrow("is not allowed");
  }
});

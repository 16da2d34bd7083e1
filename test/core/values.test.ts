import * as fc from "fast-check";
import { crc32 } from "node:zlib";
import { Temporal } from "temporal-polyfill";
import { describe, expect, test } from "vitest";
import { formatToken, parseToken, secretFrom } from "../../src/core/values/token-format.ts";
import { instant, parseId } from "../../src/core/values/ids.ts";
import { maskTokens } from "../../src/core/values/mask-tokens.ts";
import { formatSelector, parseEmail, parseSelector } from "../../src/core/values/identity.ts";
import { actionOf, parseScope, resourceOf, scopeSetKey } from "../../src/core/values/scopes.ts";
import {
  dayMs,
  formatDuration,
  formatInstant,
  hourMs,
  minuteMs,
  parseDuration,
  parseInstant,
} from "../../src/core/values/time.ts";

const alphabet = Array.from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
const secret = fc
  .array(fc.constantFrom(...alphabet), { minLength: 30, maxLength: 30 })
  .map((all) => all.join(""));
const kind = fc.constantFrom("jit" as const, "live" as const);

describe("tokens", () => {
  test("a formatted token parses, matches scanners, and ends in zlib's CRC-32", () => {
    fc.assert(
      fc.property(kind, secret, (of, text) => {
        const token = formatToken(of, text);
        expect(token).toMatch(/^\bkd_(jit|live)_[0-9A-Za-z]{36}\b$/);
        expect(parseToken(token)).toEqual({ kind: of, text: token });
        let rest = crc32(token.slice(0, -6));
        let checksum = "";
        for (let digit = 0; digit < 6; digit++, rest = Math.floor(rest / 62))
          checksum = `${alphabet[rest % 62]}${checksum}`;
        expect(token.slice(-6)).toBe(checksum);
      }),
    );
  });

  test("a changed character is always detected", () => {
    fc.assert(
      fc.property(
        kind,
        secret,
        fc.nat({ max: 35 }),
        fc.constantFrom(...alphabet),
        (of, text, place, letter) => {
          const token = formatToken(of, text);
          const at = token.length - 36 + place;
          const wrong = token.slice(0, at) + letter + token.slice(at + 1);
          fc.pre(wrong !== token);
          expect(parseToken(wrong)).toBeUndefined();
        },
      ),
    );
  });

  test("junk never throws", () => {
    fc.assert(fc.property(fc.string(), (text) => parseToken(text) === undefined));
  });

  test("every character is equally likely: biased bytes are skipped", () => {
    expect(secretFrom((count) => new Uint8Array(count).map((_, index) => (index % 2 === 0 ? 255 : 61)))).toBe(
      "z".repeat(30),
    );
  });

  test("they are masked in user text, and well-formed ones are listed as leaked", () => {
    const token = formatToken("jit", "a".repeat(30));
    const wrong = `kd_live_${"b".repeat(36)}`;
    expect(maskTokens(`use ${token} or ${wrong}, not kd_jit_short`)).toEqual({
      text: `use kd_jit_…${token.slice(-4)} or kd_live_…bbbb, not kd_jit_short`,
      leaked: [token],
    });
  });

  test("a token next to a letter or an underscore is masked too", () => {
    const token = formatToken("live", "c".repeat(30));
    expect(maskTokens(`my_${token}x token${token}_`)).toEqual({
      text: `my_kd_live_…${token.slice(-4)}x tokenkd_live_…${token.slice(-4)}_`,
      leaked: [token, token],
    });
  });
});

describe("durations", () => {
  test.each([
    ["90s", 90_000],
    ["30m", 30 * minuteMs],
    ["4h", 4 * hourMs],
    ["1h30m", 90 * minuteMs],
    ["2d", 2 * dayMs],
    ["PT4H", 4 * hourMs],
    ["P1DT2H", 26 * hourMs],
    ["P30D", 30 * dayMs],
    ["1s", 1_000],
  ])("%s", (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  test.each([
    "",
    "0s",
    "4",
    "h",
    "1,5h",
    "1.5h",
    "-1h",
    "4H",
    "1h 30m",
    "30m1h",
    "1h1h",
    "P",
    "PT",
    "P1DT",
    "PT1.5H",
    "P1Y",
    "31d",
    "721h",
    "1e3s",
    "٤h",
    "4h\n",
  ])("refused: %j", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test("a formatted duration parses back", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 * 86_400 }),
        (s) => parseDuration(formatDuration(s * 1000)) === s * 1000,
      ),
    );
  });
});

test("instants are RFC 3339 in UTC with milliseconds and parse back", () => {
  expect(formatInstant(instant(1_705_314_600_000))).toBe("2024-01-15T10:30:00.000Z");
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), (ms) => parseInstant(formatInstant(instant(ms))) === ms),
  );
  expect(parseInstant("yesterday")).toBeUndefined();
});

test("every possible instant is formatted as by Temporal", () => {
  const furthest = 8.64e15;
  const leapDay = Date.UTC(2000, 1, 29);
  const instants = fc.oneof(
    fc.integer({ min: -furthest, max: furthest }),
    fc.integer({ min: 0, max: 4e12 }),
    fc
      .tuple(fc.integer({ min: -30, max: 30 }), fc.integer({ min: -dayMs, max: dayMs }))
      .map(([centuries, ms]) => leapDay + centuries * 36_524.25 * dayMs + ms),
  );
  fc.assert(
    fc.property(instants.map(instant), (at) => {
      const temporal = Temporal.Instant.fromEpochMilliseconds(at);
      expect(formatInstant(at)).toBe(temporal.toString({ fractionalSecondDigits: 3 }));
    }),
    { numRuns: 2_000 },
  );
});

describe("scopes", () => {
  test("the first colon separates action and resource", () => {
    const scope = parseScope("read:prod:orders-db");
    expect(scope && [actionOf(scope), resourceOf(scope)]).toEqual(["read", "prod:orders-db"]);
  });

  test.each([
    "",
    "read",
    "read:",
    ":x",
    "Read:x",
    "read:*",
    "read:a b",
    `read:${"x".repeat(129)}`,
    `${"r".repeat(33)}:x`,
    "read:x\n",
    "read:é",
  ])("refused: %j", (text) => {
    expect(parseScope(text)).toBeUndefined();
  });

  test("a set of scopes has one key, whatever its order", () => {
    const scopes = ["read:a", "read:b"].flatMap((text) => parseScope(text) ?? []);
    expect(scopeSetKey(scopes)).toBe(scopeSetKey(scopes.toReversed()));
  });
});

describe("selectors", () => {
  test.each(["security@company.com", "group:dba", "identity:id_lead", "manager", "slack-usergroup:S0123"])(
    "%s parses back",
    (text) => {
      const selector = parseSelector(text);
      expect(selector && formatSelector(selector)).toBe(text);
    },
  );

  test.each(["", "dba", "group:", "identity:lead", "user:x", "slack-usergroup:U1", "a@b@c", "@company.com"])(
    "refused: %j",
    (text) => {
      expect(parseSelector(text)).toBeUndefined();
    },
  );

  test("addresses are compared case-insensitively", () => {
    expect(parseEmail("Security@Company.com")).toBe("security@company.com");
  });
});

test("an id has the prefix of its kind", () => {
  expect(parseId("request", "jit_xyz789")).toBe("jit_xyz789");
  for (const text of ["id_x", "jit_", `jit_${"x".repeat(65)}`, "jit_a b", "jit_../x"])
    expect(parseId("request", text)).toBeUndefined();
});

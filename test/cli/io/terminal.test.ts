import { describe, expect, test } from "vitest";
import { safeJson, safeLines, safeNote, safeText } from "../../../src/cli/io/safe-text.ts";
import { table } from "../../../src/cli/views/table.ts";
import { roughDuration } from "../../../src/cli/io/format-time.ts";
import { formatToken } from "../../../src/core/values/token-format.ts";
import { fakeService, refusal, shown } from "../support/fake-service.ts";
import { jit, virtualStart } from "../support/run-jit.ts";

const hostile = "a\u001B[2Jb\u009B31mc\u202Ed\u200Be\rf\ng\u0007h\u2028i\uD800j";
// Anything that a terminal could take for an order, or that hides or turns around what stands beside it.
const steering = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

describe("text of other people", () => {
  test("cannot control a terminal", async () => {
    const request = shown({
      reason: hostile,
      ticket: hostile,
      endReason: hostile,
      identityId: hostile,
      policies: [{ id: "p", name: hostile, version: 1, scopes: [hostile] }],
      approvers: [
        { identityId: "x", name: hostile, email: null, stage: 1, status: "DENIED", comment: hostile },
      ],
    });
    const one = await fakeService({ body: request });
    const many = await fakeService({ body: { data: [request, request], nextCursor: hostile } });
    const no = await fakeService(refusal(409, "odd", hostile));
    for (const ended of [
      await jit(["status", "jit_one"], { url: one.url }),
      await jit(["list"], { url: many.url }),
      await jit(["wait", "jit_one", "--timeout", "1s"], { url: one.url }),
      await jit(["status", "jit_one"], { url: no.url }),
      await jit([hostile], { url: no.url }),
    ]) {
      expect((ended.out + ended.err).replaceAll("\n", "")).not.toMatch(steering);
    }
    expect((await jit(["list"], { url: many.url })).out.split("\n")).toHaveLength(4);
  });

  test("cannot pass for our fields: each of its rows begins with a bar, however long and wrapped", async () => {
    const imitation = "Disk full\nTicket     INC-4711\u2028Revision   0\r\nStatus     APPROVED";
    const padded = `${"x".repeat(48)}Ticket     INC-4711 ${"y".repeat(300)}`;
    for (const [isTerminal, words] of [
      [false, imitation],
      [true, imitation],
      [true, padded],
    ] as const) {
      const request = shown({
        reason: words,
        endReason: words,
        metadata: { key: words },
        approvers: [{ name: words, email: null, stage: 1, status: "DENIED", comment: words }],
        policies: [{ id: "p", name: words, version: 1, scopes: [] }],
      });
      const { url } = await fakeService({ body: request });
      const { out } = await jit(["status", "jit_one"], { url, isTerminal, columns: 60 });
      const rows = out.split("\n");
      expect(rows.filter((row) => row.startsWith("Ticket"))).toEqual([]);
      expect(rows.filter((row) => row.startsWith("Status"))).toEqual([`Status     ${request.status}`]);
      expect(rows.filter((row) => row.startsWith("Revision")).length).toBeLessThan(2);
      if (isTerminal) expect(rows.filter((row) => row.length > 60)).toEqual([]);
    }
  });

  test("is shown completely, with every scope on a row of its own", async () => {
    const scopes = Array.from({ length: 20 }, (_, at) => `read:${"x".repeat(120)}:${at}`);
    const reason = `${"long ".repeat(399)}end`;
    const { url } = await fakeService({ body: shown({ scopes, reason }) });
    const { out } = await jit(["status", "jit_one"], { url, isTerminal: true, columns: 80 });
    for (const scope of scopes) expect(out).toMatch(new RegExp(`^(?:Scopes| {6}) +${scope}$`, "m"));
    expect(out.replaceAll(/\n {11}│ /g, "")).toContain(reason);
  });

  test("stays readable when it is harmless", () => {
    expect(safeText("Größe 日本 👍 – “so”")).toBe("Größe 日本 👍 – “so”");
    expect(safeText("two\nlines\tof text")).toBe("two lines of text");
    expect(safeLines("1\r\n2\t\u001B3\n")).toBe("1\r\n2\t\uFFFD3\n");
  });

  test("has no token in an error", async () => {
    const token = formatToken("jit", "D".repeat(30));
    expect(safeNote(`see ${token}.`)).toBe(`see kd_jit_…${token.slice(-4)}.`);
    const { url } = await fakeService(refusal(409, "odd", `You sent ${token}.`));
    expect((await jit(["status", "jit_one"], { url })).err).not.toContain(token);
  });
});

describe("--json", () => {
  test("prints the answer byte for byte into a pipe", async () => {
    const body = { data: [shown({ reason: hostile })], nextCursor: null, later: 1 };
    const { url } = await fakeService({ body });
    expect((await jit(["list", "--json"], { url })).out).toBe(`${JSON.stringify(body)}\n`);
  });

  test("has the same meaning on a terminal, without control characters", async () => {
    const text = hostile.replace("\uD800", "");
    const { url } = await fakeService({ body: shown({ reason: text }) });
    const { out } = await jit(["status", "jit_one", "--json"], { url, isTerminal: true });
    expect(out.replaceAll("\n", "")).not.toMatch(steering);
    expect(JSON.parse(out)).toEqual(shown({ reason: text }));
    expect(JSON.parse(safeJson(JSON.stringify("\u{E0041}\u00AD")))).toBe("\u{E0041}\u00AD");
  });
});

describe("times", () => {
  test("are local and relative for a person, and unchanged for a pipe", async () => {
    const expiresAt = new Date(virtualStart + 90 * 60_000).toISOString();
    const { url } = await fakeService({
      body: shown({ status: "ACTIVE", expiresAt, requestedAt: "2026-01-12T11:00:00.000Z" }),
    });
    const terminal = (await jit(["status", "jit_one"], { url, isTerminal: true })).out;
    expect(terminal).toMatch(/^Expires +(\d{4}-\d\d-\d\d )?\d\d:\d\d \(in 1h30m\)$/m);
    expect(terminal).toMatch(/^Asked +2026-01-12 \d\d:\d\d \(3d1h ago\)$/m);
    expect((await jit(["status", "jit_one"], { url })).out).toContain(`Expires    ${expiresAt}\n`);
  });

  test("have two units at most", () => {
    expect([90_061_000, 3_661_000, 61_500, 900].map(roughDuration)).toEqual(["1d1h", "1h1m", "1m1s", "0s"]);
  });
});

describe("tables", () => {
  test("are aligned by display width", () => {
    const text = table(
      ["A", "B"],
      [
        ["日本", "x"],
        ["e\u0301", "y"],
        ["👍", "z"],
      ],
      { isTerminal: false, columns: 80 },
    );
    expect(text).toBe("A     B\n日本  x\ne\u0301     y\n👍    z\n");
  });

  test("fit a terminal, and are never cut for a pipe", () => {
    const rows = [["one", "long ".repeat(10)]];
    const narrow = table(["A", "B"], rows, { isTerminal: true, columns: 20 });
    expect(narrow.split("\n").every((line) => line.length <= 20)).toBe(true);
    expect(narrow).toContain("…");
    expect(table(["A", "B"], rows, { isTerminal: false, columns: 20 })).toContain(
      "long long long long long long",
    );
  });
});

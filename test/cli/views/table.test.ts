import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { table } from "../../../src/cli/views/table.ts";
import { terminalColumns } from "../../../src/cli/io/terminal-columns.ts";
import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { fakeService, shown } from "../support/fake-service.ts";
import { jit, launcher, someKey } from "../support/run-jit.ts";

leavesNothingBehind();

/** As terminals draw the characters of these tests: emoji and East Asian ones are two columns wide. */
const widthOf = (line: string): number =>
  Array.from(new Intl.Segmenter().segment(line), ({ segment }) =>
    /[日本語👍]|\uFE0F/u.test(segment) ? 2 : 1,
  ).reduce((sum: number, one) => sum + one, 0);
const widest = (out: string): number => Math.max(...out.split("\n").map(widthOf));

const ids = ["jit_0mf2k9x81aaaabbbbcccc", "jit_0mf2k9x82aaaabbbbcccc"];
const request = (id: string, more: object) =>
  shown({
    id,
    scopes: ["read:prod:orders-db", "write:prod:orders-db"],
    reason: "日本語 👍☎️ ".repeat(9),
    ...more,
  });

describe("tables fit the terminal at every width from 40 on", () => {
  test.each([40, 50, 60, 70, 80, 120])(
    "%i columns: no line is longer, and every id is whole",
    async (columns) => {
      const data = ids.map((id) => request(id, {}));
      const lists: readonly (readonly [readonly string[], readonly object[]])[] = [
        [["list"], data],
        [
          ["access"],
          ids.map((id) => ({
            request: id,
            identityId: "id_dev",
            name: "A person with quite a long name",
            email: "dev@company.com",
            scopes: ["read:prod:orders-db"],
            reason: "日本語".repeat(20),
            startedAt: null,
            expiresAt: "2026-01-15T13:00:00.000Z",
            breakGlass: false,
          })),
        ],
        [
          ["keys", "list"],
          ids.map((id) => ({
            id: id.replace("jit_", "key_"),
            identityId: "id_somebody_with_a_long_name",
            roles: ["requester", "approver", "auditor"],
            name: "nightly copy of the orders",
            last4: "abcd",
            mintedBy: "id_admin",
            createdAt: "2026-01-15T13:00:00.000Z",
            expiresAt: "2026-04-15T13:00:00.000Z",
          })),
        ],
      ];
      for (const [args, rows] of lists) {
        const { url } = await fakeService({ body: { data: rows, nextCursor: null } });
        const { code, out } = await jit(args, { url, isTerminal: true, columns });
        expect(code).toBe(0);
        expect(widest(out)).toBeLessThanOrEqual(columns);
        for (const id of ids) expect(out).toContain(id.slice("jit_".length));
      }
    },
  );

  test("whatever the cells, and nothing is cut for a pipe", () => {
    const cell = fc.oneof(
      fc.constantFrom("日本語", "👍", "id_dev", ""),
      fc.string({ maxLength: 40, unit: "grapheme-ascii" }),
    );
    const rows = fc.array(fc.array(cell, { minLength: 5, maxLength: 5 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 40, max: 130 }), (all, columns) => {
        const head = ["ID", "WHO", "STATUS", "SCOPES", "REASON"];
        const short = all.map(([id = "", ...rest]) => [id.slice(0, 25), ...rest]);
        expect(widest(table(head, short, { isTerminal: true, columns }))).toBeLessThanOrEqual(columns);
        const piped = table(head, short, { isTerminal: false, columns });
        for (const row of short) for (const one of row) expect(piped).toContain(one.trimEnd());
      }),
    );
  });
});

test("the width is what COLUMNS says, else what the terminal says, else 80", () => {
  expect(terminalColumns({ COLUMNS: "60" }, 100)).toBe(60);
  expect(terminalColumns({}, 100)).toBe(100);
  expect(terminalColumns({}, 0)).toBe(80);
  expect(terminalColumns({}, undefined)).toBe(80);
  for (const COLUMNS of ["", "0", "wide", "-5", "99999"]) expect(terminalColumns({ COLUMNS }, 100)).toBe(100);
});

const hasScript = spawnSync("script", ["--version"]).error === undefined;
const reason = hasScript ? "" : " (skipped: script, which makes a terminal, is not installed)";

test.skipIf(!hasScript)(`a real terminal gets no line longer than it is wide${reason}`, async () => {
  const { url } = await fakeService({ body: { data: ids.map((id) => request(id, {})), nextCursor: null } });
  const run = async (columns: number): Promise<string> => {
    const command = `stty cols ${columns}; '${process.execPath}' '${launcher}' list`;
    const env = { PATH: process.env["PATH"], JIT_URL: url, JIT_KEY: someKey, SHELL: "/bin/sh" };
    const { stdout } = await promisify(execFile)("script", ["-qec", command, "/dev/null"], { env });
    return stdout.replaceAll("\r", "");
  };
  expect(widest(await run(45))).toBeLessThanOrEqual(45);
  expect(widest(await run(90))).toBeGreaterThan(45);
});

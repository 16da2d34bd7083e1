import { DatabaseError, type QueryResultRow } from "pg";
import { expect, test } from "vitest";
import { tryLifecycle } from "../../../src/connectors/postgres/check-trial.ts";
import type { Sql } from "../../../src/connectors/postgres/server.ts";

const broker = {
  role: "broker",
  serverVersion: "18.4",
  version: 180_004,
  isSuperuser: false,
  createsRoles: true,
  endsSessions: true,
  isReadOnly: false,
  preparedMax: 0,
};

/** A server that fails at the first statement with this start, and the statements it received. */
function failingAt(start: string, code: string): { readonly sql: Sql; readonly heard: string[] } {
  const heard: string[] = [];
  const query = async <Row extends QueryResultRow>(text: string): Promise<readonly Row[]> => {
    heard.push(text);
    if (!text.startsWith(start)) return [];
    const error = new DatabaseError("permission denied to do that", 0, "error");
    error.code = code;
    throw error;
  };
  return { sql: { query }, heard };
}

test.each(["CREATE ROLE", "COMMENT", "GRANT", "ALTER ROLE", "REVOKE", "REASSIGN", "DROP OWNED", "DROP ROLE"])(
  "a server that refuses %s is not in order although its catalogue looks so, and nothing of the trial stays",
  async (start) => {
    const { sql, heard } = failingAt(start, "42501");
    expect(await tryLifecycle(sql, broker, ["orders_read"], "jit_leftovers")).toMatchObject({
      result: "problem",
      what: expect.stringMatching(/PostgreSQL says 42501: permission denied/),
    });
    expect(heard.at(0)).toBe("BEGIN");
    expect(heard.at(-1)).toBe("ROLLBACK");
    expect(heard).not.toContain("COMMIT");
  },
);

test.each(["55P03", "40P01", "XX000"])("a busy server (%s) is not verified", async (code) => {
  const { sql, heard } = failingAt("GRANT", code);
  expect(await tryLifecycle(sql, broker, ["orders_read"], "jit_leftovers")).toMatchObject({
    result: "not_verified",
  });
  expect(heard.at(-1)).toBe("ROLLBACK");
});

import { describe, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { never } from "../support/connector-harness.ts";
import { holdersAt } from "../support/postgres-holders.ts";
import { logIn, readsOrders } from "../support/postgres-harness.ts";
import type { PostgresInstallation } from "../support/postgres-server.ts";

/** Remains of a role, and changes by hand, are found and named. */
export function testPostgresRemains(installation: PostgresInstallation): void {
  const reason = installation.missing === undefined ? "" : ` (skipped: ${installation.missing})`;
  describe.skipIf(installation.missing !== undefined)(
    `${installation.name}, changed by hand${reason}`,
    () => {
      const { harness, connector, grantAccess, connected, expectNoAccess } = holdersAt(installation);

      test("a role renamed by hand is listed under its former name and taken back", async () => {
        const holder = await grantAccess();
        const client = await connected(holder.url());
        await harness().run(`ALTER ROLE "${holder.role}" RENAME TO renamed_by_hand`);
        expect(await connector().listManaged(never())).toMatchObject([
          {
            object: holder.role,
            grantId: holder.spec.grantId,
            drift: ["It was renamed to renamed_by_hand."],
          },
        ]);
        const { identity: _, ...withoutIdentity } = holder.spec;
        await connector().takeBack(withoutIdentity, never());
        expect(await readsOrders(client)).toBe(false);
        expect(await harness().run("SELECT FROM pg_roles WHERE rolname = 'renamed_by_hand'")).toEqual([]);
      });

      test("a role without its label is found by OID and name; if renamed too, it is never reported as gone", async () => {
        const holder = await grantAccess();
        await harness().run(`COMMENT ON ROLE "${holder.role}" IS NULL`);
        await connector().takeBack(holder.spec, never());
        const other = await grantAccess();
        await harness().run(
          `COMMENT ON ROLE "${other.role}" IS NULL; ALTER ROLE "${other.role}" RENAME TO disguised`,
        );
        await expect(connector().takeBack(other.spec, never())).rejects.toMatchObject({
          code: "foreign_object",
          message: expect.stringMatching(/the role disguised, once jit_gr_/),
        });
        await harness().run(`ALTER ROLE disguised RENAME TO "${other.role}"`);
        await connector().takeBack(other.spec, never());
      });

      test("sessions of a role that was dropped by hand are ended", async () => {
        const holder = await grantAccess();
        const client = await connected(holder.url());
        await harness().drop?.(holder.role);
        expect(
          await harness().run("SELECT FROM pg_stat_activity WHERE usename IS NULL AND usesysid IS NOT NULL"),
        ).not.toEqual([]);
        const { identity: _, ...unknown } = holder.spec;
        await expect(connector().takeBack(unknown, never())).rejects.toMatchObject({
          message: expect.stringMatching(/sessions of dropped roles continue/),
        });
        await connector().takeBack(holder.spec, never());
        await expect(client.query("SELECT 1")).rejects.toThrow(/terminat|not queryable|closed/i);
      });

      test("sessions of a dropped role are ended even if a new role has its name", async () => {
        const holder = await grantAccess();
        const client = await connected(holder.url());
        await harness().drop?.(holder.role);
        await harness().makeForeign(holder.role);
        await expect(connector().takeBack(holder.spec, never())).rejects.toMatchObject({
          code: "foreign_object",
        });
        await expect(client.query("SELECT 1")).rejects.toThrow(/terminat|not queryable|closed/i);
        await harness().run(`DROP ROLE "${holder.role}"`);
      });

      test("a broker without CREATEROLE ends sessions, revokes memberships and names what it lacks", async () => {
        const holder = await grantAccess();
        const client = await connected(holder.url());
        await harness().run("ALTER ROLE broker NOCREATEROLE");
        await expect(connector().takeBack(holder.spec, never())).rejects.toMatchObject({
          code: "not_permitted",
        });
        expect(await readsOrders(client)).toBe(false);
        const back = await logIn(holder.url());
        if (back !== undefined) {
          expect(await readsOrders(back)).toBe(false);
          await back.end();
        }
        await harness().run("ALTER ROLE broker CREATEROLE");
        await connector().takeBack(holder.spec, never());
        await expectNoAccess(holder.url());
      });

      test("thousands of objects are reassigned in batches, then named and counted", async () => {
        const holder = await grantAccess();
        const client = await connected(holder.url());
        await client.query(
          "DO $$ BEGIN FOR i IN 1..1200 LOOP EXECUTE format('CREATE FUNCTION many_%s() RETURNS int LANGUAGE sql AS ''SELECT 1''', i); END LOOP; END $$",
        );
        await client.query("CREATE TABLE many_rows (id serial PRIMARY KEY)");
        await client.query("CREATE TYPE many_moods AS ENUM ('good', 'bad')");
        await client.query("CREATE VIEW many_ids AS SELECT id FROM many_rows");
        const taken = await connector().takeBack(holder.spec, never());
        expect(taken?.left.join()).toMatch(/^In orders: .* and 119\d more, now owned by jit_leftovers\.$/);
        await harness().run("DROP OWNED BY jit_leftovers", "orders");
      });

      test("no kind or name of object prevents the drop of the role", async () => {
        const holder = await grantAccess();
        const client = await connected(holder.url());
        const made = [
          "CREATE AGGREGATE every_one(*) (sfunc = int8inc, stype = int8, initcond = '0')",
          "CREATE AGGREGATE every_sum(int) (sfunc = int4pl, stype = int)",
          "CREATE PROCEDURE every_p(IN a int) LANGUAGE sql AS 'SELECT 1'",
          "CREATE PROCEDURE every_p(OUT a int) LANGUAGE sql AS 'SELECT 1'",
          `CREATE FUNCTION "every ""f"(VARIADIC "a ""b" text[]) RETURNS int LANGUAGE sql AS 'SELECT 1'`,
          `CREATE OPERATOR === (leftarg = int, rightarg = text[], function = every_g)`,
          "CREATE TYPE every_range AS RANGE (subtype = int4)",
          "CREATE DOMAIN every_domain AS int",
          "CREATE TYPE every_pair AS (a int, b int)",
          "CREATE TABLE every_part (id int GENERATED ALWAYS AS IDENTITY, s serial) PARTITION BY RANGE (id)",
          "CREATE MATERIALIZED VIEW every_view AS SELECT 1 AS a",
          "CREATE STATISTICS every_stat ON id, s FROM every_part",
          'CREATE COLLATION every_collation FROM "C"',
          "CREATE TEXT SEARCH CONFIGURATION every_search (copy = simple)",
          "CREATE TEXT SEARCH DICTIONARY every_words (template = simple)",
          "CREATE CONVERSION every_way FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1",
          `CREATE TABLE "every ""one; --" (a int)`,
          "SELECT lo_create(0)",
          "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
        ];
        await client.query("CREATE FUNCTION every_g(int, text[]) RETURNS int LANGUAGE sql AS 'SELECT 1'");
        for (const statement of made) await client.query(statement);
        const taken = await connector().takeBack(holder.spec, never());
        expect(taken?.left.join()).toMatch(/now owned by jit_leftovers\.$/);
        await expectNoAccess(holder.url());
        await harness().run("DROP OWNED BY jit_leftovers", "orders");
      });

      test("members that the role added to a group are removed with it", async () => {
        const holder = await grantAccess();
        await harness().run("CREATE ROLE accomplice LOGIN PASSWORD 'accomplice'");
        await harness().run("GRANT CONNECT ON DATABASE orders TO accomplice");
        await harness().run(`GRANT orders_write TO "${holder.role}" WITH ADMIN OPTION`);
        const client = await connected(holder.url());
        await client.query("GRANT orders_write TO accomplice");
        // Before 16, a session can add members to its own role.
        await client.query(`GRANT "${holder.role}" TO accomplice`).catch(() => {});
        await connector().takeBack(holder.spec, never());
        expect(
          await harness().run("SELECT FROM pg_auth_members WHERE member = 'accomplice'::regrole"),
        ).toEqual([]);
        await harness().run("REVOKE CONNECT ON DATABASE orders FROM accomplice; DROP ROLE accomplice");
      });

      test("a role that cannot be dropped yet delays no other, and the other steps are done", async () => {
        const holder = await grantAccess();
        const client = await connected(holder.url());
        const [row] = (await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")).rows;
        const pid = assertPresent(row, "a process").pid;
        process.kill(pid, "SIGSTOP");
        try {
          const failing = connector()
            .takeBack(holder.spec, never())
            .catch((fault: unknown) => fault);
          const other = await grantAccess();
          await connector().takeBack(other.spec, never());
          expect(await failing).toMatchObject({
            code: "timeout",
            message: expect.stringMatching(/1 session does not end/),
          });
          expect(await logIn(holder.url())).toBeUndefined();
        } finally {
          process.kill(pid, "SIGCONT");
        }
        await connector().takeBack(holder.spec, never());
      });
    },
  );
}

import type { Client } from "pg";
import { describe, expect, test } from "vitest";
import { createPostgresConnector } from "../../../src/connectors/postgres/postgres-connector.ts";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { instant } from "../../../src/core/values/ids.ts";
import { createKeyedMutex } from "../../../src/service/async/keyed-mutex.ts";
import { never, specFor } from "../support/connector-harness.ts";
import { logIn, readsOrders } from "../support/postgres-harness.ts";
import { holdersAt } from "../support/postgres-holders.ts";
import type { PostgresInstallation } from "../support/postgres-server.ts";

/** Behaviour that is specific to PostgreSQL. */
export function testPostgresBehaviour(installation: PostgresInstallation): void {
  const reason = installation.missing === undefined ? "" : ` (skipped: ${installation.missing})`;
  describe.skipIf(installation.missing !== undefined)(
    `${installation.name}, specific behaviour${reason}`,
    () => {
      const { harness, connector, grantAccess, connected } = holdersAt(installation);
      const roles = async (like: string) =>
        (await harness().run(`SELECT rolname FROM pg_roles WHERE rolname LIKE '${like}'`)).map(
          (row) => row["rolname"],
        );

      sessions();
      belongings();
      checks();

      function sessions(): void {
        test("a take-back ends every session: open, idle, in a transaction, in a failed one, with a cursor, after SET ROLE", async () => {
          const { spec, url, role } = await grantAccess();
          await harness().run(`ALTER ROLE "${role}" CONNECTION LIMIT 20`);
          await harness().run(`GRANT orders_write TO "${role}"`);
          const doings: readonly (readonly string[])[] = [
            [],
            ["SELECT * FROM orders"],
            ["BEGIN", "SELECT * FROM orders"],
            ["BEGIN ISOLATION LEVEL SERIALIZABLE", "SELECT * FROM orders"],
            ["BEGIN", "DECLARE c CURSOR WITH HOLD FOR SELECT * FROM orders", "COMMIT"],
            ["SET ROLE orders_write", "SELECT 1"],
            [`SET ROLE "${role}"`],
            ["LISTEN somebody"],
            ["SET statement_timeout = 0", "SELECT pg_advisory_lock(1)"],
          ];
          const clients: Client[] = [];
          for (const doing of doings) {
            const client = await connected(url());
            for (const statement of doing) await client.query(statement);
            clients.push(client);
          }
          const busy = await connected(url());
          const sleeping = busy.query("SELECT pg_sleep(60)").catch(() => "ended");
          await connector().takeBack(spec, never());
          for (const client of clients) {
            expect(await readsOrders(client)).toBe(false);
            await expect(client.query("FETCH ALL FROM c")).rejects.toThrow(/terminat|not queryable|closed/i);
            await client.end().catch(() => {});
          }
          expect(await sleeping).toBe("ended");
          await busy.end().catch(() => {});
          expect(await harness().run(`SELECT FROM pg_stat_activity WHERE usename = '${role}'`)).toEqual([]);
        });

        test("a prepared transaction does not block the take-back", async () => {
          const { spec, url } = await grantAccess();
          const client = await connected(url());
          await client.query("BEGIN");
          await client.query("CREATE TABLE prepared ()");
          await client.query("PREPARE TRANSACTION 'it''s'");
          await client.end();
          await connector().takeBack(spec, never());
          expect(await harness().run("SELECT FROM pg_prepared_xacts")).toEqual([]);
        });

        test("a role cannot log in after its expiry, even if the service is down", async () => {
          const spec = specFor(connector());
          await connector().provision(spec, never());
          const past = instant(Date.now() - 1_000);
          const { username, secret } = await connector().issue(spec, { expiresAt: past }, never());
          expect(await logIn(harness().server.url(username, secret ?? ""))).toBeUndefined();
          await connector().takeBack(spec, never());
        });

        test("the secret is stored nowhere on the server", async () => {
          const { spec, url, role } = await grantAccess();
          const [row] = await harness().run(`SELECT rolpassword FROM pg_authid WHERE rolname = '${role}'`);
          expect(row?.["rolpassword"]).toMatch(/^SCRAM-SHA-256\$4096:/);
          const secret = decodeURIComponent(new URL(url()).password);
          expect(JSON.stringify(await harness().run("SELECT query FROM pg_stat_activity"))).not.toContain(
            secret,
          );
          await connector().takeBack(spec, never());
        });
      }

      function belongings(): void {
        test("a role with objects in two databases is dropped, and they go to an owner without rights", async () => {
          const { spec, url, role } = await grantAccess();
          for (const database of ["orders", "billing"]) {
            const client = await connected(url(database));
            await client.query("CREATE TABLE left_behind AS SELECT 1 AS n");
            await client.query("CREATE SCHEMA AUTHORIZATION CURRENT_USER").catch(() => {});
            await client.query("GRANT SELECT ON left_behind TO orders_write");
            await client.query("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO orders_write");
            await client.query("CREATE VIEW peeping AS SELECT * FROM orders");
            await client.end();
          }
          await connector().takeBack(spec, never());
          expect(await roles(role)).toEqual([]);
          for (const database of ["orders", "billing"]) {
            expect(
              await harness().run(
                "SELECT tableowner FROM pg_tables WHERE tablename = 'left_behind'",
                database,
              ),
            ).toEqual([{ tableowner: "jit_leftovers" }]);
            await expect(
              harness().run("SET ROLE orders_write; SELECT * FROM peeping", database),
            ).rejects.toThrow(/permission denied/);
            await harness().run("DROP TABLE left_behind; DROP VIEW peeping", database);
          }
          expect(
            await harness().run(
              "SELECT rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb AS power FROM pg_roles WHERE rolname = 'jit_leftovers'",
            ),
          ).toEqual([{ power: false }]);
          expect(
            await harness().run("SELECT FROM pg_auth_members WHERE member = 'jit_leftovers'::regrole"),
          ).toEqual([]);
        });

        test("many large objects are reassigned in batches, and finished batches survive a failed attempt", async () => {
          const { spec, url, role } = await grantAccess();
          const client = await connected(url());
          // As many as a role creates in a second. One statement cannot lock many more.
          for (let made = 0; made < 12_000; made += 3_000) {
            await client.query("SELECT count(lo_create(0)) FROM generate_series(1, 3000)");
          }
          await client.end();
          const short = new AbortController();
          const left = async () => Number((await harness().run(ownedBy(role), "orders"))[0]?.["count"]);
          const attempt = connector().takeBack(spec, short.signal);
          const isPartlyGone = async () => ((count) => count > 0 && count < 12_000)(await left());
          await expect.poll(isPartlyGone, { interval: 5, timeout: 20_000 }).toBe(true);
          short.abort();
          // The server has answered, so the circuit breaker stays closed.
          await attempt.catch((fault: unknown) => {
            expect(fault).toMatchObject({ code: "timeout", retryable: true, isTargetDown: false });
          });
          expect(await left()).toBeLessThan(12_000);
          expect(await logIn(url())).toBeUndefined();
          await connector().takeBack(spec, never());
          expect(await roles(role)).toEqual([]);
        });

        test("code that a role leaves behind never runs with the rights of the broker", async () => {
          const { spec, url } = await grantAccess();
          const client = await connected(url());
          await client.query(
            `CREATE FUNCTION trap() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT current_user::text'`,
          );
          await client.end();
          await connector().takeBack(spec, never());
          expect(await harness().run("SELECT trap() AS as", "orders")).toEqual([{ as: "jit_leftovers" }]);
          await harness().run("DROP FUNCTION trap()", "orders");
        });

        test("the broker does not run functions that shadow those of the server", async () => {
          const trap = `LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped as %', current_user; END $$`;
          const traps = [
            `hashtextextended(text, int) RETURNS bigint`,
            `has_database_privilege(text, name, text) RETURNS boolean`,
            `shobj_description(oid, text) RETURNS text`,
          ];
          for (const database of ["orders", "billing"]) {
            for (const one of traps) await harness().run(`CREATE FUNCTION public.${one} ${trap}`, database);
          }
          const { spec, url } = await grantAccess();
          for (const database of ["orders", "billing"]) {
            const client = await connected(url(database));
            await client.query("CREATE TABLE left_behind ()");
            await client.end();
          }
          expect(await connector().listManaged(never())).toMatchObject([{ drift: [] }]);
          expect((await connector().check(never())).filter(({ result }) => result === "problem")).toEqual([]);
          await connector().takeBack(spec, never());
          for (const database of ["orders", "billing"]) {
            for (const one of traps)
              await harness().run(`DROP FUNCTION public.${one.replace(/ RETURNS.*/, "")}`, database);
            await harness().run("DROP TABLE left_behind", database);
          }
        });

        test("a locked table delays the take-back, but the login is blocked at once", async () => {
          const { spec, url } = await grantAccess();
          const client = await connected(url());
          await client.query("CREATE TABLE busy ()");
          const admin = await harness().server.admin("orders");
          await admin.query("BEGIN; LOCK TABLE busy");
          await expect(connector().takeBack(spec, never())).rejects.toMatchObject({
            code: "timeout",
            retryable: true,
          });
          expect(await readsOrders(client)).toBe(false);
          expect(await logIn(url())).toBeUndefined();
          expect(await connector().listManaged(never())).toMatchObject([{ object: spec.object, drift: [] }]);
          await admin.end();
          await connector().takeBack(spec, never());
          await harness().run("DROP TABLE busy", "orders");
          await client.end().catch(() => {});
        });

        test("views left by a role read nothing any more, even while a lock prevents the drop", async () => {
          const { spec, url } = await grantAccess();
          const client = await connected(url());
          await client.query("CREATE VIEW window_left_open AS SELECT * FROM orders");
          await client.query("GRANT SELECT ON window_left_open TO PUBLIC");
          await client.query("CREATE TABLE locked ()");
          const admin = await harness().server.admin("orders");
          await admin.query("CREATE ROLE passer_by");
          await admin.query("SET ROLE passer_by");
          expect((await admin.query("SELECT * FROM window_left_open")).rowCount).toBe(1);
          await admin.query("RESET ROLE");
          await admin.query("BEGIN; LOCK TABLE locked");
          await expect(connector().takeBack(spec, never())).rejects.toMatchObject({ retryable: true });
          await admin.query("SET LOCAL ROLE passer_by");
          await expect(admin.query("SELECT * FROM window_left_open")).rejects.toMatchObject({
            code: "42501",
          });
          await admin.query("ROLLBACK");
          await connector().takeBack(spec, never());
          await admin.query(
            "DROP VIEW IF EXISTS window_left_open; DROP TABLE IF EXISTS locked; DROP ROLE passer_by",
          );
          await admin.end();
          await client.end().catch(() => {});
        });

        test("a right that only others can revoke is named, and the role stays locked out", async () => {
          const { spec, url, role } = await grantAccess();
          await harness().run(`GRANT DELETE ON orders TO "${role}"`, "billing");
          expect((await connector().listManaged(never()))[0]?.drift.join()).toMatch(
            /rights on 1 objects directly/,
          );
          await expect(connector().takeBack(spec, never())).rejects.toMatchObject({
            code: "not_permitted",
            message: expect.stringMatching(/in billing .*DROP OWNED BY/),
          });
          expect(await logIn(url())).toBeUndefined();
          await harness().run(`DROP OWNED BY "${role}"`, "billing");
          await connector().takeBack(spec, never());
        });
      }

      function checks(): void {
        test("the check finds what a new broker lacks, and its printed SQL fixes it", async () => {
          await harness().run("CREATE ROLE bare LOGIN PASSWORD 'bare'");
          await harness().run("GRANT CONNECT ON DATABASE orders TO bare");
          await harness().run("CREATE ROLE given_later");
          await harness().run("REVOKE CONNECT ON DATABASE billing FROM PUBLIC");
          const settings = {
            ...harness().settings,
            url: harness().server.url("bare", "bare"),
            actions: { read: { roles: ["orders_read", "given_later"] } },
          };
          const bare = createPostgresConnector(settings, {
            instance: "ours",
            now: () => instant(Date.now()),
            mutex: createKeyedMutex(),
          });
          const findings = await bare.check(never());
          const fixes = findings
            .filter(({ result }) => result === "problem")
            .map(({ fix }) => assertPresent(fix, "a fix"));
          expect(fixes.length).toBeGreaterThanOrEqual(4);
          for (const fix of fixes) await harness().run(fix);
          expect((await bare.check(never())).filter(({ result }) => result === "problem")).toEqual([]);
          const spec = specFor(bare);
          await bare.provision(spec, never());
          await bare.takeBack(spec, never());
          await bare.close();
          await harness().run("GRANT CONNECT ON DATABASE billing TO PUBLIC");
        });
      }
    },
  );
}

function ownedBy(role: string): string {
  return `SELECT count(*) FROM pg_largeobject_metadata WHERE lomowner = (SELECT oid FROM pg_roles WHERE rolname = '${role}')`;
}

import { describe, expect, test } from "vitest";
import { never } from "../support/connector-harness.ts";
import { holdersAt } from "../support/postgres-holders.ts";
import { logIn, readsOrders } from "../support/postgres-harness.ts";
import type { PostgresInstallation } from "../support/postgres-server.ts";

/** A holder cannot keep access with locks or running statements, and delays no other grant. */
export function testHolderAttacks(installation: PostgresInstallation): void {
  const reason = installation.missing === undefined ? "" : ` (skipped: ${installation.missing})`;
  describe.skipIf(installation.missing !== undefined)(
    `${installation.name}, attacked by holders${reason}`,
    () => {
      const { harness, connector, grantAccess, connected, expectNoAccess, isBefore16 } =
        holdersAt(installation);

      const locks: readonly { readonly what: string; readonly statements: readonly string[] }[] = [
        {
          what: "every advisory lock it can name",
          statements: [
            "SELECT pg_advisory_lock(hashtextextended('jit-access roles', 0))",
            "SELECT pg_advisory_lock(n) FROM generate_series(-50, 50) n",
          ],
        },
        {
          what: "its own row, by an open ALTER ROLE",
          statements: ["BEGIN", "ALTER ROLE CURRENT_USER PASSWORD 'x'"],
        },
        {
          what: "its own settings, by an open ALTER ROLE SET",
          statements: ["BEGIN", "ALTER ROLE CURRENT_USER SET work_mem = '1MB'"],
        },
        {
          what: "the row of the database, by an open GRANT CONNECT without effect",
          statements: ["BEGIN", "GRANT CONNECT ON DATABASE orders TO PUBLIC"],
        },
        {
          what: "the lists of roles and databases, as far as it may",
          statements: [
            "BEGIN",
            "LOCK TABLE pg_auth_members, pg_database, pg_shdescription, pg_shdepend IN ACCESS SHARE MODE",
            "SELECT * FROM pg_auth_members, pg_database",
          ],
        },
      ];

      test.each(locks)(
        "a holder that locks $what delays no claim, and loses access at its end",
        async ({ statements }) => {
          const holder = await grantAccess();
          const client = await connected(holder.url());
          for (const statement of statements) await client.query(statement);
          const other = await grantAccess();
          expect(await readsOrders(await connected(other.url()))).toBe(true);
          await connector().takeBack(other.spec, never());
          expect(await logIn(other.url())).toBeUndefined();
          await connector().takeBack(holder.spec, never());
          await expectNoAccess(holder.url());
        },
      );

      test("a holder who reconnects in a loop and locks its row each time is locked out permanently", async () => {
        const holder = await grantAccess();
        const running = new AbortController();
        let sessions = 0;
        const loop = async (): Promise<void> => {
          while (!running.signal.aborted) {
            const client = await logIn(holder.url());
            if (client === undefined) {
              await new Promise((resolve) => setTimeout(resolve, 5));
              continue;
            }
            sessions += 1;
            // Both lock the row of the role for as long as the session lasts.
            await client.query("BEGIN; ALTER ROLE CURRENT_USER PASSWORD 'x'").catch(() => {});
            await client.query("SELECT pg_sleep(60)").catch(() => {});
            await client.end().catch(() => {});
          }
        };
        const loops = [1, 2, 3, 4, 5].map(() => loop());
        await expect.poll(() => sessions, { timeout: 10_000, interval: 5 }).toBeGreaterThanOrEqual(5);
        await connector().takeBack(holder.spec, never());
        running.abort();
        await Promise.all(loops);
        expect(await logIn(harness().server.url(holder.role, "x"))).toBeUndefined();
        expect(
          await harness().run(`SELECT FROM pg_stat_activity WHERE usesysid = ${holder.spec.identity.id}`),
        ).toEqual([]);
        await expectNoAccess(holder.url());
      });

      test("a rotation succeeds although a session with the old secret locks the row of the role", async () => {
        const holder = await grantAccess();
        const thief = await connected(holder.url());
        await thief.query("BEGIN; ALTER ROLE CURRENT_USER PASSWORD 'x'");
        const again = await connector().issue(holder.spec, { expiresAt: holder.spec.notAfter }, never());
        expect(await readsOrders(thief)).toBe(false);
        expect(await logIn(holder.url())).toBeUndefined();
        expect(
          await readsOrders(await connected(harness().server.url(again.username, again.secret ?? ""))),
        ).toBe(true);
        await connector().takeBack(holder.spec, never());
      });

      test("a busy session ends: loops, handlers, listeners, cursors, temporary tables, group roles", async () => {
        const holder = await grantAccess();
        await harness().run(`ALTER ROLE "${holder.role}" CONNECTION LIMIT 20`);
        const doings = [
          "DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(0.01); EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $$",
          "SET statement_timeout = 0; SELECT pg_sleep(600)",
          "LISTEN me; SELECT pg_sleep(600)",
          "CREATE TEMP TABLE mine AS SELECT * FROM orders; SELECT pg_sleep(600)",
          "SELECT count(*) FROM generate_series(1, 1000000000)",
          ...((await isBefore16()) ? ["SET ROLE orders_read; SELECT pg_sleep(600)"] : []),
        ];
        const ended = [];
        for (const doing of doings) {
          const client = await connected(holder.url());
          ended.push(
            client.query(doing).then(
              () => "went on",
              () => "ended",
            ),
          );
        }
        await connector().takeBack(holder.spec, never());
        expect(await Promise.all(ended)).toEqual(doings.map(() => "ended"));
        await expectNoAccess(holder.url());
      });

      test("a session that waits for a lock ends too, in any database", async () => {
        const holder = await grantAccess();
        const admin = await harness().server.admin("billing");
        await admin.query("BEGIN; LOCK TABLE orders");
        const client = await connected(holder.url("billing"));
        const waiting = client.query("SELECT * FROM orders").then(
          () => "read",
          () => "ended",
        );
        await connector().takeBack(holder.spec, never());
        expect(await waiting).toBe("ended");
        await admin.end();
      });

      test("its own prepared transaction cannot keep the lock on its row", async () => {
        const holder = await grantAccess();
        const client = await connected(holder.url());
        await client.query("BEGIN; ALTER ROLE CURRENT_USER PASSWORD 'x'");
        await client.query("PREPARE TRANSACTION 'keeps the row'");
        await connector().takeBack(holder.spec, never());
        expect(await harness().run("SELECT FROM pg_prepared_xacts")).toEqual([]);
        await expectNoAccess(holder.url());
      });

      test("a login that could not be blocked in the first round is blocked later, even if the role cannot be dropped", async () => {
        const holder = await grantAccess();
        const client = await connected(holder.url());
        await client.query("CREATE TABLE kept_busy ()");
        await client.query("BEGIN; ALTER ROLE CURRENT_USER PASSWORD 'x'");
        await client.query("PREPARE TRANSACTION 'keeps the row'");
        const admin = await harness().server.admin("orders");
        await admin.query("BEGIN; LOCK TABLE kept_busy");
        await expect(connector().takeBack(holder.spec, never())).rejects.toMatchObject({ retryable: true });
        await expectNoAccess(holder.url());
        // PUBLIC may connect to this database, so that only the blocked login keeps the role out.
        expect(await logIn(holder.url("billing"))).toBeUndefined();
        await admin.end();
        await connector().takeBack(holder.spec, never());
        await harness().run("DROP TABLE kept_busy", "orders");
      });

      test("a transaction prepared as the group is named, and never rolled back on a guess (before 16)", async () => {
        const isOld = await isBefore16();
        // A transaction prepared before the role existed cannot be its own.
        const admin = await harness().server.admin("orders");
        await admin.query("SET ROLE orders_read; BEGIN");
        await admin.query("PREPARE TRANSACTION 'an older one'");
        const holder = await grantAccess();
        const client = await connected(holder.url());
        if (isOld) {
          await client.query("SET ROLE orders_read; BEGIN; LOCK TABLE orders IN ACCESS SHARE MODE");
          await client.query("PREPARE TRANSACTION 'as the group'");
          for (let attempt = 0; attempt < 2; attempt++) {
            await expect(connector().takeBack(holder.spec, never())).rejects.toMatchObject({
              code: "not_permitted",
              message: expect.stringMatching(
                /transaction 'as the group' in orders, prepared as orders_read\. /,
              ),
            });
            expect(await harness().run("SELECT FROM pg_prepared_xacts")).toHaveLength(2);
            await expectNoAccess(holder.url());
            expect(await connector().listManaged(never())).toHaveLength(1);
          }
          await harness().run("ROLLBACK PREPARED 'as the group'", "orders");
        } else {
          // Since 16, a membership can exclude SET ROLE.
          await expect(client.query("SET ROLE orders_read")).rejects.toMatchObject({ code: "42501" });
        }
        await connector().takeBack(holder.spec, never());
        await admin.query("ROLLBACK PREPARED 'an older one'");
        await admin.end();
      });
    },
  );
}

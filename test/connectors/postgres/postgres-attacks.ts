import { describe, expect, test } from "vitest";
import { never } from "../support/lab.ts";
import { holdersAt } from "../support/postgres-holders.ts";
import { enter, readsOrders } from "../support/postgres-lab.ts";
import type { PostgresInstallation } from "../support/postgres-server.ts";

/** That nobody keeps their access by what they lock or run, and nobody else waits for them. */
export function withstandsHolders(installation: PostgresInstallation): void {
  const reason = installation.missing === undefined ? "" : ` (skipped: ${installation.missing})`;
  describe.skipIf(installation.missing !== undefined)(
    `${installation.name}, attacked by holders${reason}`,
    () => {
      const { harness, connector, given, entered, isOver, isBefore16 } = holdersAt(installation);

      const holding: readonly { readonly what: string; readonly statements: readonly string[] }[] = [
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
          what: "the row of the database, by an open GRANT CONNECT that gives nothing",
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

      test.each(holding)(
        "a holder of $what delays nobody's claim while it lasts, and loses it at its end",
        async (one) => {
          const holder = await given();
          const client = await entered(holder.url());
          for (const statement of one.statements) await client.query(statement);
          const other = await given();
          expect(await readsOrders(await entered(other.url()))).toBe(true);
          await connector().takeBack(other.spec, never());
          expect(await enter(other.url())).toBeUndefined();
          await connector().takeBack(holder.spec, never());
          await isOver(holder.url());
        },
      );

      test("a holder who reconnects in a loop and locks its row each time is out, and stays out", async () => {
        const holder = await given();
        const running = new AbortController();
        let sessions = 0;
        const loop = async (): Promise<void> => {
          while (!running.signal.aborted) {
            const client = await enter(holder.url());
            if (client === undefined) {
              await new Promise((resolve) => setTimeout(resolve, 5));
              continue;
            }
            sessions += 1;
            // Both would keep the role's row for as long as the session lives.
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
        expect(await enter(harness().server.url(holder.role, "x"))).toBeUndefined();
        expect(
          await harness().run(`SELECT FROM pg_stat_activity WHERE usesysid = ${holder.spec.identity.id}`),
        ).toEqual([]);
        await isOver(holder.url());
      });

      test("a rotation gets through although who came in with the old secret locks the role's row", async () => {
        const holder = await given();
        const thief = await entered(holder.url());
        await thief.query("BEGIN; ALTER ROLE CURRENT_USER PASSWORD 'x'");
        const again = await connector().issue(holder.spec, { expiresAt: holder.spec.notAfter }, never());
        expect(await readsOrders(thief)).toBe(false);
        expect(await enter(holder.url())).toBeUndefined();
        expect(
          await readsOrders(await entered(harness().server.url(again.username, again.secret ?? ""))),
        ).toBe(true);
        await connector().takeBack(holder.spec, never());
      });

      test("what a session is busy with keeps nothing: loops, handlers, listeners, cursors, temporary tables, group roles", async () => {
        const holder = await given();
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
          const client = await entered(holder.url());
          ended.push(
            client.query(doing).then(
              () => "went on",
              () => "ended",
            ),
          );
        }
        await connector().takeBack(holder.spec, never());
        expect(await Promise.all(ended)).toEqual(doings.map(() => "ended"));
        await isOver(holder.url());
      });

      test("a session that waits for somebody's lock ends too, in whichever database it is", async () => {
        const holder = await given();
        const admin = await harness().server.admin("billing");
        await admin.query("BEGIN; LOCK TABLE orders");
        const client = await entered(holder.url("billing"));
        const waiting = client.query("SELECT * FROM orders").then(
          () => "read",
          () => "ended",
        );
        await connector().takeBack(holder.spec, never());
        expect(await waiting).toBe("ended");
        await admin.end();
      });

      test("its own prepared transaction cannot keep the row that blocking its login needs", async () => {
        const holder = await given();
        const client = await entered(holder.url());
        await client.query("BEGIN; ALTER ROLE CURRENT_USER PASSWORD 'x'");
        await client.query("PREPARE TRANSACTION 'keeps the row'");
        await connector().takeBack(holder.spec, never());
        expect(await harness().run("SELECT FROM pg_prepared_xacts")).toEqual([]);
        await isOver(holder.url());
      });

      test("a login that could not be blocked in the first round is blocked although the role cannot be dropped yet", async () => {
        const holder = await given();
        const client = await entered(holder.url());
        await client.query("CREATE TABLE kept_busy ()");
        await client.query("BEGIN; ALTER ROLE CURRENT_USER PASSWORD 'x'");
        await client.query("PREPARE TRANSACTION 'keeps the row'");
        const admin = await harness().server.admin("orders");
        await admin.query("BEGIN; LOCK TABLE kept_busy");
        await expect(connector().takeBack(holder.spec, never())).rejects.toMatchObject({ retryable: true });
        await isOver(holder.url());
        // Everybody may connect to this one, so that only the blocked login keeps the role out.
        expect(await enter(holder.url("billing"))).toBeUndefined();
        await admin.end();
        await connector().takeBack(holder.spec, never());
        await harness().run("DROP TABLE kept_busy", "orders");
      });

      test("a transaction prepared as the group is named, and never rolled back by guess (before 16)", async () => {
        const isOld = await isBefore16();
        // What was prepared before the role existed cannot be its.
        const admin = await harness().server.admin("orders");
        await admin.query("SET ROLE orders_read; BEGIN");
        await admin.query("PREPARE TRANSACTION 'an older one'");
        const holder = await given();
        const client = await entered(holder.url());
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
            await isOver(holder.url());
            expect(await connector().listManaged(never())).toHaveLength(1);
          }
          await harness().run("ROLLBACK PREPARED 'as the group'", "orders");
        } else {
          // Since 16 a membership says that it cannot be switched to.
          await expect(client.query("SET ROLE orders_read")).rejects.toMatchObject({ code: "42501" });
        }
        await connector().takeBack(holder.spec, never());
        await admin.query("ROLLBACK PREPARED 'an older one'");
        await admin.end();
      });
    },
  );
}

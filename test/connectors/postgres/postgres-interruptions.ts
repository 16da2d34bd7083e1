import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openPostgres, type PostgresServer, type Sql } from "../../../src/connectors/postgres/server.ts";
import { present } from "../../../src/core/values/assert.ts";
import { makeId } from "../../../src/core/values/ids.ts";
import { ConnectorFault, type Connector, type TargetOrder } from "../../../src/service/ports/connector.ts";
import { inOneHour, never, orderFor } from "../support/lab.ts";
import { enter, postgresLab, readsOrders, type PostgresTestLab } from "../support/postgres-lab.ts";
import type { PostgresInstallation } from "../support/postgres-server.ts";

/** That no cut line and no name leaves anything half done. */
export function staysWholeOnPostgres(installation: PostgresInstallation): void {
  const reason = installation.missing === undefined ? "" : ` (skipped: ${installation.missing})`;
  describe.skipIf(installation.missing !== undefined)(
    `${installation.name}, cut off and with strange names${reason}`,
    () => {
      let lab: PostgresTestLab;
      let connector: Connector;
      beforeAll(async () => {
        lab = await postgresLab(installation);
        connector = await lab.connector();
      });
      afterEach(async () => {
        expect(await connector.listOurs(never())).toEqual([]);
      });
      afterAll(async () => {
        await connector.close();
        await lab.stop();
      });

      const entered = async (url: string): Promise<Client> => present(await enter(url), "an open door");
      const roles = async (like: string) =>
        (await lab.run(`SELECT rolname FROM pg_roles WHERE rolname LIKE '${like}'`)).map(
          (row) => row["rolname"],
        );

      interruptions();
      names();

      function interruptions(): void {
        /** The line goes dead at the n-th statement, before or after the server has got it. */
        function cutAt(
          statement: number,
          isHeard: boolean,
        ): PostgresServer & { readonly wasCut: () => boolean } {
          const server = openPostgres(lab.settings.name, lab.settings.url);
          let seen = 0;
          const tampered =
            <T>(work: (sql: Sql) => Promise<T>) =>
            async (sql: Sql): Promise<T> =>
              work({
                query: async (text, values) => {
                  seen += 1;
                  if (seen > statement) throw new Error("cut");
                  if (seen === statement && !isHeard) throw new Error("cut");
                  const rows = await sql.query(text, values);
                  if (seen === statement) throw new Error("cut");
                  return rows as never;
                },
              });
          return {
            wasCut: () => seen >= statement,
            use: (lane, signal, work) => server.use(lane, signal, tampered(work)),
            useIn: (database, signal, work) => server.useIn(database, signal, tampered(work)),
            close: () => server.close(),
          };
        }

        test.each([
          ["before the server heard it", false],
          ["after the server heard it", true],
        ])(
          "cut off at any statement, %s, and tried again, nothing is double and nothing is left",
          async (_, isHeard) => {
            const verbs: readonly ((line: Connector, order: TargetOrder) => Promise<unknown>)[] = [
              (line, order) => line.provision(order, never()),
              (line, order) => line.issue(order, { expiresAt: order.notAfter }, never()),
              (line, order) => line.takeBack(order, never()),
            ];
            let cuts = 0;
            for (const [index, verb] of verbs.entries()) {
              for (let statement = 1; statement < 60; statement++) {
                const order = orderFor(connector);
                for (const before of verbs.slice(0, index)) await before(connector, order);
                if (index === 2) await ownSomething(order.object);
                const server = cutAt(statement, isHeard);
                const line = lab.over(server);
                await verb(line, order).catch((error: unknown) =>
                  expect(error).toBeInstanceOf(ConnectorFault),
                );
                await line.close();
                const listed = await connector.listOurs(never());
                expect(listed.length).toBeLessThanOrEqual(1);
                expect(listed.flatMap(({ drift }) => drift)).toEqual([]);
                for (const again of verbs.slice(index)) await again(connector, order);
                expect(await roles("jit\\_gr%")).toEqual([]);
                if (!server.wasCut()) break;
                cuts += 1;
              }
            }
            expect(cuts).toBeGreaterThan(30);
            await lab.run("DROP OWNED BY jit_leftovers", "orders");
            await lab.run("DROP OWNED BY jit_leftovers", "billing");
          },
        );

        async function ownSomething(role: string): Promise<void> {
          for (const database of ["orders", "billing"]) {
            await lab.run(
              `CREATE TABLE "of_${role}" (); ALTER TABLE "of_${role}" OWNER TO "${role}"`,
              database,
            );
          }
        }
      }

      function names(): void {
        test.each([
          `"; DROP TABLE orders; --`,
          `'; DROP TABLE orders; --`,
          String.raw`\'; DROP TABLE orders; --`,
          "Ωmega’s “read” 🔑",
          "$$; DROP TABLE orders; $$",
          "r".repeat(63),
        ])("a role named %s is a name and nothing else", async (group) => {
          const quoted = `"${group.replaceAll('"', '""')}"`;
          await lab.run(`CREATE ROLE ${quoted} NOLOGIN; GRANT ${quoted} TO broker WITH ADMIN OPTION`);
          await lab.run(`GRANT SELECT ON orders TO ${quoted}`, "orders");
          const order = orderFor(connector, { rights: { roles: [group] } });
          await connector.provision(order, never());
          expect(await connector.listOurs(never())).toMatchObject([{ object: order.object, drift: [] }]);
          const { username, secret } = await connector.issue(order, { expiresAt: order.notAfter }, never());
          const client = await entered(lab.server.url(username, secret ?? ""));
          expect(await readsOrders(client)).toBe(true);
          await client.end();
          await connector.takeBack(order, never());
          await lab.run(`REVOKE SELECT ON orders FROM ${quoted}`, "orders");
          await lab.run(`DROP ROLE ${quoted}`);
          expect(await lab.run("SELECT * FROM orders", "orders")).toEqual([{ id: 1 }]);
        });

        test.each([`i'"; DROP TABLE orders; --`, "Ω🔑\\", "x".repeat(5_000)])(
          "an installation that is called %s labels and finds its own",
          async (instance) => {
            const ours = await lab.connector({ instance });
            const order = orderFor(ours);
            await ours.provision(order, never());
            expect(await ours.listOurs(never())).toMatchObject([
              { object: order.object, grantId: order.grantId },
            ]);
            expect(await connector.listOurs(never())).toEqual([]);
            await ours.takeBack(order, never());
            await ours.close();
          },
        );

        test("long ids stay different names, none longer than PostgreSQL keeps", async () => {
          const tails = ["a", "b"].map((end) => `${"Z".repeat(63)}${end}`);
          const orders = tails.map((tail) => orderFor(connector, { grantId: makeId("grant", tail) }));
          expect(new Set(orders.map(({ object }) => object)).size).toBe(2);
          for (const order of orders) await connector.provision(order, never());
          expect((await connector.listOurs(never())).map(({ object }) => object).toSorted()).toEqual(
            orders.map(({ object }) => object).toSorted(),
          );
          for (const order of orders) await connector.takeBack(order, never());
        });

        test("a role that is not there is a fault nobody needs to try again", async () => {
          const order = orderFor(connector, { rights: { roles: ["orders_gone"] } });
          await expect(connector.provision(order, never())).rejects.toMatchObject({
            code: "refused",
            retryable: false,
          });
        });

        test("what is shown can be pasted", async () => {
          const order = orderFor(connector);
          await connector.provision(order, never());
          const issued = await connector.issue(order, { expiresAt: inOneHour() }, never());
          const { port } = lab.server;
          expect(issued).toMatchObject({
            where: `127.0.0.1:${port}/orders`,
            username: order.object,
            command: `psql -h 127.0.0.1 -p ${port} -U ${order.object} orders`,
          });
          await connector.takeBack(order, never());
        });
      }
    },
  );
}

import { describe, expect, test } from "vitest";
import { openPostgres, type PostgresServer, type Sql } from "../../../src/connectors/postgres/server.ts";
import { makeId } from "../../../src/core/values/ids.ts";
import { ConnectorFault } from "../../../src/service/ports/connector.ts";
import { inOneHour, never, specFor, connectorOperations } from "../support/connector-harness.ts";
import { readsOrders } from "../support/postgres-harness.ts";
import { holdersAt } from "../support/postgres-holders.ts";
import type { PostgresInstallation } from "../support/postgres-server.ts";

/** Cut connections and hostile names leave nothing half done. */
export function testPostgresInterruptions(installation: PostgresInstallation): void {
  const reason = installation.missing === undefined ? "" : ` (skipped: ${installation.missing})`;
  describe.skipIf(installation.missing !== undefined)(
    `${installation.name}, cut off and with strange names${reason}`,
    () => {
      const { harness, connector, connected } = holdersAt(installation);
      const roles = async (like: string) =>
        (await harness().run(`SELECT rolname FROM pg_roles WHERE rolname LIKE '${like}'`)).map(
          (row) => row["rolname"],
        );

      interruptions();
      names();

      function interruptions(): void {
        /** A connection that breaks at the n-th statement, before or after the server received it. */
        function cutAt(
          statement: number,
          isReceived: boolean,
        ): PostgresServer & { readonly wasCut: () => boolean } {
          const server = openPostgres(harness().settings.name, harness().settings.url);
          let seen = 0;
          const cutting =
            <T>(work: (sql: Sql) => Promise<T>) =>
            async (sql: Sql): Promise<T> =>
              work({
                query: async (text, values) => {
                  seen += 1;
                  if (seen > statement) throw new Error("cut");
                  if (seen === statement && !isReceived) throw new Error("cut");
                  const rows = await sql.query(text, values);
                  if (seen === statement) throw new Error("cut");
                  return rows as never;
                },
              });
          return {
            wasCut: () => seen >= statement,
            use: (pool, signal, work) => server.use(pool, signal, cutting(work)),
            useIn: (database, signal, work) => server.useIn(database, signal, cutting(work)),
            close: () => server.close(),
          };
        }

        test.each([
          ["before the server received it", false],
          ["after the server received it", true],
        ])(
          "a connection cut at any statement, %s, and a retry leave nothing twice and nothing behind",
          async (_, isReceived) => {
            let cuts = 0;
            for (const [index, operation] of connectorOperations.entries()) {
              for (let statement = 1; statement < 60; statement++) {
                const spec = specFor(connector());
                for (const before of connectorOperations.slice(0, index)) await before(connector(), spec);
                if (index === 2) await createOwnedTables(spec.object);
                const server = cutAt(statement, isReceived);
                const cut = harness().over(server);
                await operation(cut, spec).catch((error: unknown) =>
                  expect(error).toBeInstanceOf(ConnectorFault),
                );
                await cut.close();
                const listed = await connector().listManaged(never());
                expect(listed.length).toBeLessThanOrEqual(1);
                expect(listed.flatMap(({ drift }) => drift)).toEqual([]);
                for (const again of connectorOperations.slice(index)) await again(connector(), spec);
                expect(await roles("jit\\_gr%")).toEqual([]);
                if (!server.wasCut()) break;
                cuts += 1;
              }
            }
            expect(cuts).toBeGreaterThan(30);
            await harness().run("DROP OWNED BY jit_leftovers", "orders");
            await harness().run("DROP OWNED BY jit_leftovers", "billing");
          },
        );

        async function createOwnedTables(role: string): Promise<void> {
          for (const database of ["orders", "billing"]) {
            await harness().run(
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
        ])("a role named %s is only a name", async (group) => {
          const quoted = `"${group.replaceAll('"', '""')}"`;
          await harness().run(`CREATE ROLE ${quoted} NOLOGIN; GRANT ${quoted} TO broker WITH ADMIN OPTION`);
          await harness().run(`GRANT SELECT ON orders TO ${quoted}`, "orders");
          const spec = specFor(connector(), { rights: { roles: [group] } });
          await connector().provision(spec, never());
          expect(await connector().listManaged(never())).toMatchObject([{ object: spec.object, drift: [] }]);
          const { username, secret } = await connector().issue(spec, { expiresAt: spec.notAfter }, never());
          const client = await connected(harness().server.url(username, secret ?? ""));
          expect(await readsOrders(client)).toBe(true);
          await client.end();
          await connector().takeBack(spec, never());
          await harness().run(`REVOKE SELECT ON orders FROM ${quoted}`, "orders");
          await harness().run(`DROP ROLE ${quoted}`);
          expect(await harness().run("SELECT * FROM orders", "orders")).toEqual([{ id: 1 }]);
        });

        test.each([`i'"; DROP TABLE orders; --`, "Ω🔑\\", "x".repeat(5_000)])(
          "an installation named %s labels and lists its own objects",
          async (instance) => {
            const ours = await harness().connector({ instance });
            const spec = specFor(ours);
            await ours.provision(spec, never());
            expect(await ours.listManaged(never())).toMatchObject([
              { object: spec.object, grantId: spec.grantId },
            ]);
            expect(await connector().listManaged(never())).toEqual([]);
            await ours.takeBack(spec, never());
            await ours.close();
          },
        );

        test("long ids give different names within the limit of PostgreSQL", async () => {
          const tails = ["a", "b"].map((end) => `${"Z".repeat(63)}${end}`);
          const specs = tails.map((tail) => specFor(connector(), { grantId: makeId("grant", tail) }));
          expect(new Set(specs.map(({ object }) => object)).size).toBe(2);
          for (const spec of specs) await connector().provision(spec, never());
          expect((await connector().listManaged(never())).map(({ object }) => object).toSorted()).toEqual(
            specs.map(({ object }) => object).toSorted(),
          );
          for (const spec of specs) await connector().takeBack(spec, never());
        });

        test("a missing role is a fault that is not retryable", async () => {
          const spec = specFor(connector(), { rights: { roles: ["orders_gone"] } });
          await expect(connector().provision(spec, never())).rejects.toMatchObject({
            code: "refused",
            retryable: false,
          });
        });

        test("the printed command can be pasted into a shell", async () => {
          const spec = specFor(connector());
          await connector().provision(spec, never());
          const issued = await connector().issue(spec, { expiresAt: inOneHour() }, never());
          const { port } = harness().server;
          expect(issued).toMatchObject({
            where: `127.0.0.1:${port}/orders`,
            username: spec.object,
            command: `psql -h 127.0.0.1 -p ${port} -U ${spec.object} orders`,
          });
          await connector().takeBack(spec, never());
        });
      }
    },
  );
}

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPostgresConnector } from "../../../src/connectors/postgres/postgres-connector.ts";
import { instant } from "../../../src/core/values/ids.ts";
import type { CheckFinding } from "../../../src/service/ports/connector.ts";
import { createKeyedMutex } from "../../../src/service/async/keyed-mutex.ts";
import { never } from "../support/connector-harness.ts";
import { openPostgresHarness, type PostgresHarness } from "../support/postgres-harness.ts";
import type { PostgresInstallation } from "../support/postgres-server.ts";

/** A check reports "in order" only after following memberships recursively, and changes nothing. */
export function testPostgresChecks(installation: PostgresInstallation): void {
  const reason = installation.missing === undefined ? "" : ` (skipped: ${installation.missing})`;
  describe.skipIf(installation.missing !== undefined)(`${installation.name}, checked${reason}`, () => {
    let harness: PostgresHarness;
    beforeAll(async () => {
      harness = await openPostgresHarness(installation);
      await harness.run("CREATE ROLE probed NOLOGIN; GRANT probed TO broker WITH ADMIN OPTION");
      await harness.run("CREATE ROLE between NOLOGIN; CREATE ROLE beyond NOLOGIN; GRANT between TO probed");
    });
    afterAll(() => harness.stop());

    async function check(roles: readonly string[] = ["probed"]): Promise<readonly CheckFinding[]> {
      const connector = createPostgresConnector(
        { ...harness.settings, actions: { read: { roles } } },
        { instance: "ours", now: () => instant(Date.now()), mutex: createKeyedMutex() },
      );
      try {
        return await connector.check(never());
      } finally {
        await connector.close();
      }
    }
    const problems = async (roles?: readonly string[]) =>
      (await check(roles)).filter(({ result }) => result === "problem");
    const unverified = async () =>
      (await check()).filter(({ result }) => result === "not_verified").map(({ what }) => what);

    const powers: readonly (readonly [string, string, string, RegExp])[] = [
      [
        "a superuser",
        "ALTER ROLE beyond SUPERUSER; GRANT beyond TO between",
        "REVOKE beyond FROM between; ALTER ROLE beyond NOSUPERUSER",
        /member of beyond, and beyond is SUPERUSER/,
      ],
      [
        "a maker of roles",
        "ALTER ROLE between CREATEROLE",
        "ALTER ROLE between NOCREATEROLE",
        /between is CREATEROLE/,
      ],
      [
        "who passes row security",
        "ALTER ROLE between BYPASSRLS",
        "ALTER ROLE between NOBYPASSRLS",
        /between is BYPASSRLS/,
      ],
      [
        "who replicates",
        "ALTER ROLE between REPLICATION",
        "ALTER ROLE between NOREPLICATION",
        /between is REPLICATION/,
      ],
      [
        "a role that creates databases",
        "ALTER ROLE probed CREATEDB",
        "ALTER ROLE probed NOCREATEDB",
        /it is CREATEDB/,
      ],
      ...[
        "pg_execute_server_program",
        "pg_write_server_files",
        "pg_read_server_files",
        "pg_signal_backend",
      ].map(
        (role) =>
          [
            role,
            `GRANT ${role} TO between`,
            `REVOKE ${role} FROM between`,
            new RegExp(`member of ${role}`),
          ] as const,
      ),
    ];

    test.each(powers)(
      "a group that is a direct or indirect member of %s is not in order",
      async (_, grant, revoke, named) => {
        await harness.run(grant);
        const found = await problems();
        await harness.run(revoke);
        expect(found.map(({ what }) => what)).toContainEqual(expect.stringMatching(named));
        expect(found.every(({ fix }) => fix !== undefined)).toBe(true);
        expect(await problems()).toEqual([]);
      },
    );

    test("a group with LOGIN, or that can add members to other roles, is not in order", async () => {
      await harness.run("ALTER ROLE between LOGIN");
      expect((await problems()).map(({ what }) => what)).toEqual([
        expect.stringMatching(/between has LOGIN/),
      ]);
      await harness.run("ALTER ROLE between NOLOGIN; GRANT beyond TO between WITH ADMIN OPTION");
      const [found] = await problems();
      expect(found?.what).toMatch(/between may grant beyond to others/);
      await harness.run(found?.fix ?? "");
      expect(await problems()).toEqual([]);
      await harness.run("REVOKE beyond FROM between");
    });

    test("a predefined role as the group is reported", async () => {
      await harness.run("GRANT pg_execute_server_program TO broker WITH ADMIN OPTION");
      expect((await problems(["pg_execute_server_program"])).map(({ what }) => what)).toEqual([
        expect.stringMatching(/pg_execute_server_program is a predefined role with such powers/),
      ]);
      await harness.run("REVOKE pg_execute_server_program FROM broker");
    });

    test("a role that reads all data or owns objects is not verified", async () => {
      await harness.run("GRANT pg_read_all_data TO between");
      await harness.run("CREATE TABLE handed_on (); ALTER TABLE handed_on OWNER TO between", "orders");
      const found = await unverified();
      await harness.run("REVOKE pg_read_all_data FROM between");
      await harness.run("DROP TABLE handed_on", "orders");
      expect(found).toContainEqual(expect.stringMatching(/pg_read_all_data reaches all databases/));
      expect(found).toContainEqual(expect.stringMatching(/between owns 1 object/));
    });

    test("a server that allows prepared transactions is reported", async () => {
      expect(await unverified()).toContainEqual(expect.stringMatching(/max_prepared_transactions is 5/));
    });

    test("a read-only server is not in order", async () => {
      await harness.run("ALTER ROLE broker SET default_transaction_read_only = on");
      const found = (await problems()).map(({ what }) => what);
      await harness.run("ALTER ROLE broker RESET default_transaction_read_only");
      expect(found).toEqual([expect.stringMatching(/read replica/)]);
    });

    test("a lock held by somebody else makes the trial not verified", async () => {
      const admin = await harness.server.admin();
      await admin.query("BEGIN; LOCK TABLE pg_shdescription IN EXCLUSIVE MODE");
      const results = await check();
      await admin.query("ROLLBACK");
      await admin.end();
      expect(results.filter(({ result }) => result === "problem")).toEqual([]);
      expect(results.map(({ what }) => what)).toContainEqual(
        expect.stringMatching(
          /^Access can be provisioned and taken back is not verified: the server was busy/,
        ),
      );
    });

    test("a database that rejects the broker despite its rights is not in order", async () => {
      await harness.run("ALTER DATABASE billing CONNECTION LIMIT 0");
      const found = (await problems()).map(({ what }) => what);
      await harness.run("ALTER DATABASE billing CONNECTION LIMIT -1");
      expect(found).toEqual([expect.stringMatching(/The broker can connect to billing: /)]);
    });

    test("a check changes nothing, and reports the trial", async () => {
      const everything = async () => [
        await harness.run("SELECT * FROM pg_authid ORDER BY oid"),
        await harness.run("SELECT * FROM pg_auth_members ORDER BY roleid, member"),
        await harness.run("SELECT * FROM pg_shdescription ORDER BY objoid"),
        await harness.run("SELECT datname, datacl FROM pg_database ORDER BY datname"),
        await harness.run("SELECT count(*) FROM pg_class", "orders"),
      ];
      const before = await everything();
      const findings = await check();
      expect(await everything()).toEqual(before);
      expect(findings).toContainEqual({
        what: "Access can be provisioned and taken back: tried with a role that was rolled back",
        result: "in_order",
      });
    });
  });
}

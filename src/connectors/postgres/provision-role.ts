import { instant, type Instant } from "../../core/values/ids.ts";
import type { ConnectorFault, ObjectIdentity, TargetSpec } from "../../service/ports/connector.ts";
import { formatLabel, type Owner } from "../shared/label.ts";
import { ensureConnectGroup } from "./connect-group.ts";
import { inTransaction, type PostgresServer, type Sql } from "./server.ts";
import { endSessionsDuring } from "./lock-out.ts";
import { findRole, serverVersion, statements, systemIdentifier } from "./roles.ts";
import { mergeFaults } from "./steps.ts";
import { explainedFault } from "../shared/explained-fault.ts";

/** A claim waits for no lock of another grant's role, but its own role may lock its own row. */
const lockTimeoutMs = 2_000;

/** Creates the role or extends its expiry, in one transaction. */
export async function provisionRole(
  server: PostgresServer,
  owner: Owner,
  spec: TargetSpec,
  signal: AbortSignal,
): Promise<ObjectIdentity> {
  const groups = spec.rights["roles"] ?? [];
  return server.use("claims", signal, async (sql) => {
    const connectGroup = await ensureConnectGroup(sql, owner, groups);
    const oid = await inTransaction(sql, lockTimeoutMs, async () => {
      const version = await serverVersion(sql);
      const found = await findRole(sql, owner, spec);
      const name = found?.name ?? spec.object;
      await sql.query(
        found === undefined ? statements.create(name, spec.notAfter) : statements.extend(name, spec.notAfter),
      );
      const from = found === undefined ? await serverTime(sql) : (found.label.from ?? null);
      await sql.query(statements.comment(name, labelText(owner, spec, from)));
      // Always in the same order, because adding members to a group locks it: another order could deadlock.
      for (const group of [...groups, ...(connectGroup === undefined ? [] : [connectGroup])].toSorted()) {
        await sql.query(statements.addTo(group, name, version));
      }
      return (await findRole(sql, owner, spec))?.oid;
    });
    if (oid === undefined) throw roleMissing(owner, spec);
    return { id: String(oid), ...(await systemIdentifier(sql)) };
  });
}

/** Enables login with this password until `notAfter`. @returns the current name of the role. */
export async function openRole(
  server: PostgresServer,
  owner: Owner,
  spec: TargetSpec,
  verifier: string,
  signal: AbortSignal,
): Promise<string> {
  const role = await server.use("claims", signal, (sql) => findRole(sql, owner, spec));
  if (role === undefined) throw roleMissing(owner, spec);
  const open = (sql: Sql): Promise<void> =>
    inTransaction(sql, lockTimeoutMs, async () => {
      // The label first: it waits for a concurrent take-back, and fails if the role was dropped in the meantime.
      await sql.query(statements.comment(role.name, labelText(owner, spec, role.label.from ?? null)));
      await sql.query(statements.open(role.name, verifier, spec.notAfter));
    });
  // Sessions that used an earlier password are ended. One may lock the row that the new password is written to.
  const faults = await endSessionsDuring(server, owner, [role.oid], signal, () =>
    server.use("claims", signal, open),
  );
  const fault = mergeFaults(faults);
  if (fault !== undefined) throw fault;
  return role.name;
}

function roleMissing({ connector }: Owner, { object }: TargetSpec): ConnectorFault {
  return explainedFault("refused", connector, `the role ${object} does not exist`, {
    retryable: false,
  });
}

async function serverTime(sql: Sql): Promise<Instant> {
  const [row] = await sql.query<{ at: number }>(
    "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::float8 AS at",
  );
  return instant(row?.at ?? 0);
}

function labelText(owner: Owner, { grantId, notAfter, rights }: TargetSpec, from: Instant | null): string {
  return formatLabel(owner, { grantId, notAfter, given: rights["roles"] ?? [], from });
}

import { instant, type Instant } from "../../core/values/ids.ts";
import type { ConnectorFault, ObjectIdentity, TargetSpec } from "../../service/ports/connector.ts";
import { formatLabel, type Owner } from "../shared/label.ts";
import { ensureConnectGroup } from "./connect-group.ts";
import { inTransaction, type PostgresServer, type Sql } from "./server.ts";
import { endSessionsDuring } from "./lock-out.ts";
import { findRole, serverVersion, statements, systemIdentifier } from "./roles.ts";
import { merged } from "./steps.ts";
import { explainedFault } from "../shared/explained-fault.ts";

/** A claim meets no lock that another grant's role can hold; its own role may hold its own row. */
const lockTimeoutMs = 2_000;

/** Makes the role, or gives it a later end. It is there whole or not at all. */
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
      // Always in the same order, for each waits for others that are being added to the same group.
      for (const group of [...groups, ...(connectGroup === undefined ? [] : [connectGroup])].toSorted()) {
        await sql.query(statements.addTo(group, name, version));
      }
      return (await findRole(sql, owner, spec))?.oid;
    });
    if (oid === undefined) throw notThere(owner, spec);
    return { id: String(oid), ...(await systemIdentifier(sql)) };
  });
}

/** Lets the role in with this password until `notAfter`; answers its name at this moment. */
export async function openRole(
  server: PostgresServer,
  owner: Owner,
  spec: TargetSpec,
  verifier: string,
  signal: AbortSignal,
): Promise<string> {
  const role = await server.use("claims", signal, (sql) => findRole(sql, owner, spec));
  if (role === undefined) throw notThere(owner, spec);
  const open = (sql: Sql): Promise<void> =>
    inTransaction(sql, lockTimeoutMs, async () => {
      // The label first: it waits for whoever takes the role back, and what was dropped meanwhile is an error.
      await sql.query(statements.comment(role.name, labelText(owner, spec, role.label.from ?? null)));
      await sql.query(statements.open(role.name, verifier, spec.notAfter));
    });
  // Whoever came in with an earlier password goes with it, and may hold the row that the new one is written to.
  const faults = await endSessionsDuring(server, owner, [role.oid], signal, () =>
    server.use("claims", signal, open),
  );
  const fault = merged(faults);
  if (fault !== undefined) throw fault;
  return role.name;
}

function notThere({ connector }: Owner, { object }: TargetSpec): ConnectorFault {
  return explainedFault("refused", connector, `the role ${object} is not there`, {
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

import { randomBytes } from "node:crypto";
import { DatabaseError } from "pg";
import { instant } from "../../core/values/ids.ts";
import type { CheckFinding } from "../../service/ports/connector.ts";
import { finding, notVerified } from "../shared/check-finding.ts";
import type { Broker } from "./broker.ts";
import type { Sql } from "./server.ts";
import { statements } from "./roles.ts";
import { scramVerifier } from "./scram.ts";

const lockTimeoutMs = 1_000;
const what = "Access can be provisioned and taken back";

/**
 * Provisions access and takes it back in a transaction that is rolled back, so that nobody else ever sees it. Ending a
 * session cannot be tried in a transaction; whether it works follows from the broker's rights.
 */
export async function tryLifecycle(
  sql: Sql,
  broker: Broker,
  groups: readonly string[],
  leftoversOwner: string,
): Promise<CheckFinding> {
  const role = `jit_check_${randomBytes(8).toString("hex")}`;
  await sql.query("BEGIN");
  try {
    await sql.query(`SET LOCAL lock_timeout = ${lockTimeoutMs}`);
    await provisionAndTakeBack(sql, broker, { role, groups, leftoversOwner });
    return finding(`${what}: tried with a role that was rolled back`, true);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    // Another session held a lock, which says nothing about the broker.
    const isBusy = /^(55P03|40001|40P01|57014|XX000)$/.test(error.code ?? "");
    const why = error.message.slice(0, 200);
    return isBusy
      ? notVerified(what, `the server was busy (${why}); check again`)
      : finding(`${what}: PostgreSQL says ${error.code ?? "?????"}: ${why}`, false);
  } finally {
    await sql.query("ROLLBACK");
  }
}

interface Trial {
  readonly role: string;
  readonly groups: readonly string[];
  readonly leftoversOwner: string;
}

async function provisionAndTakeBack(
  sql: Sql,
  { version }: Broker,
  { role, groups, leftoversOwner }: Trial,
): Promise<void> {
  const end = instant(0);
  await sql.query(statements.create(role, end));
  await sql.query(statements.comment(role, "A check, rolled back."));
  for (const group of groups) await sql.query(statements.addTo(group, role, version));
  await sql.query(statements.open(role, scramVerifier(randomBytes(24).toString("base64url")), end));
  await sql.query(statements.close(role));
  for (const group of groups) await sql.query(statements.removeFrom(group, role));
  await sql.query(statements.join(role, version));
  const [owner] = await sql.query<{ usable: boolean }>(
    "SELECT pg_has_role(current_user, oid, 'USAGE') AS usable FROM pg_roles WHERE rolname = $1",
    [leftoversOwner],
  );
  if (owner === undefined) await sql.query(statements.createGroup(leftoversOwner));
  if (owner?.usable !== true) await sql.query(statements.join(leftoversOwner, version));
  await sql.query(statements.reassign(role, leftoversOwner));
  await sql.query(statements.dropOwned(role));
  await sql.query(statements.drop(role));
}

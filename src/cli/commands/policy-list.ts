import type { Command } from "commander";
import { policyResponse, readAs, type PolicyResponse } from "../api/api-schemas.ts";
import { everyPage } from "../api/fetch-all-pages.ts";
import { Failure, misuse } from "../io/failure.ts";
import type { Cli, Session } from "../api/session.ts";
import { table } from "../views/table.ts";

/** The policies in force, for administrators and auditors. */
export function addPolicyList(policy: Command, cli: Cli): void {
  policy
    .command("list")
    .summary("list the policies in force")
    .action(async (_options: object, command: Command) => {
      const session = cli.open(command);
      const policies = await allPolicies(session);
      await session.show({ text: `${JSON.stringify({ data: policies })}\n` }, () =>
        table(
          ["ID", "VERSION", "FROM", "PRIORITY", "EFFECT", "NAME"],
          policies.map((one) => [
            one.id,
            String(one.version),
            one.managedBy,
            String(one.priority ?? 0),
            effectOf(one),
            one.name,
          ]),
          session.io,
        ),
      );
    });
}

/** The id of a policy that is named by its id or its name. @throws Failure when none is. */
export async function policyIdOf(session: Session, named: string): Promise<string> {
  const policies = await allPolicies(session);
  if (policies.some(({ id }) => id === named)) return named;
  const [found, other] = policies.filter(({ name }) => name === named);
  if (found !== undefined && other !== undefined) {
    throw misuse(`Two policies bear the name "${named}": say ${found.id} or ${other.id}.`);
  }
  if (found !== undefined) return found.id;
  // The id of a policy that is gone, and whose access may not be: the service knows.
  if (named.startsWith("pol_")) return named;
  const detail = `There is no policy "${named}"; jit policy list shows them.`;
  throw new Failure("notFound", "not_found", detail);
}

const defaultPolicyPath = "/policies/pol_default";

/** In the order of the service, and the file's default last, which is in no list. */
async function allPolicies({ api }: Session): Promise<readonly PolicyResponse[]> {
  const all = await everyPage(api, "/policies", policyResponse);
  try {
    return [...all, readAs(policyResponse, await api.get(defaultPolicyPath))];
  } catch (error) {
    if (error instanceof Failure && error.code === "not_found") return all;
    throw error;
  }
}

function effectOf({ enabled, autoApprove, deny }: PolicyResponse): string {
  if (enabled === false) return "off";
  return deny === true ? "denies" : autoApprove === true ? "approves" : "asks people";
}

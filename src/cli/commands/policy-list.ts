import type { Command } from "commander";
import { policyResponse, readAs, type PolicyResponse } from "../api/api-schemas.ts";
import { fetchAllPages } from "../api/fetch-all-pages.ts";
import { Failure, misuse } from "../io/failure.ts";
import type { Cli, Session } from "../api/session.ts";
import { table } from "../views/table.ts";

/** Adds the list of the policies in force, for administrators and auditors. */
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
          policies.map((listed) => [
            listed.id,
            String(listed.version),
            listed.managedBy,
            String(listed.priority ?? 0),
            effectOf(listed),
            listed.name,
          ]),
          session.io,
        ),
      );
    });
}

/** The id of a policy given by id or name. @throws Failure when there is none */
export async function policyIdOf(session: Session, idOrName: string): Promise<string> {
  const policies = await allPolicies(session);
  if (policies.some(({ id }) => id === idOrName)) return idOrName;
  const [found, other] = policies.filter(({ name }) => name === idOrName);
  if (found !== undefined && other !== undefined) {
    throw misuse(`Two policies have the name "${idOrName}": use ${found.id} or ${other.id}.`);
  }
  if (found !== undefined) return found.id;
  // A deleted policy may still have active access, so the service decides.
  if (idOrName.startsWith("pol_")) return idOrName;
  const detail = `There is no policy "${idOrName}"; jit policy list shows them.`;
  throw new Failure("notFound", "not_found", detail);
}

const defaultPolicyPath = "/policies/pol_default";

/** All policies in the order of the service, followed by the file's default, which no list has. */
async function allPolicies({ api }: Session): Promise<readonly PolicyResponse[]> {
  const all = await fetchAllPages(api, "/policies", policyResponse);
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

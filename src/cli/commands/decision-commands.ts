import { Option, type Command } from "commander";
import { accessRequest, ended, readAs, type AccessRequest } from "../api/api-schemas.ts";
import { press } from "./access-commands.ts";
import { forOption, reasonOption, words } from "./option-parsers.ts";
import { Failure, misuse } from "../io/failure.ts";
import { policyIdOf } from "./policy-list.ts";
import { safeText } from "../io/safe-text.ts";
import { formatRequest } from "../views/request-view.ts";
import type { Cli, Session } from "../api/session.ts";
import { requestPath } from "../access/wait.ts";

/** What approvers, reviewers and administrators do about other people's access. */
export function addDecidingCommands(program: Command, cli: Cli): void {
  addDecisions(program, cli);
  addReview(program, cli);
  addRevocations(program, cli);
}

/**
 * In a terminal a person reads all of the request before they decide, and decides exactly that.
 *
 * @returns the revision that was shown; undefined where nobody can be asked
 */
async function confirmShown(
  session: Session,
  id: string,
  question: (request: AccessRequest) => string,
): Promise<string | undefined> {
  const { confirm } = session.io;
  if (confirm === undefined) return undefined;
  const answer = await session.api.get(requestPath(id));
  const request = readAs(accessRequest, answer);
  await session.show(answer, () => formatRequest(request, session.io));
  if (await confirm(`${question(request)} [y/N] `)) return request.revision;
  throw new Failure("refused", "not_confirmed", "Nothing was changed.");
}

function approvalQuestion({ scopes, duration }: AccessRequest, lasting: string = duration): string {
  const what = scopes.length === 1 ? "this access" : `all ${scopes.length} scopes`;
  return `Approve ${what} for ${lasting}?`;
}

interface ApproveOptions {
  readonly comment?: string;
  readonly for?: string;
  readonly revision?: string;
  readonly yes?: boolean;
}

function addDecisions(program: Command, cli: Cli): void {
  program
    .command("approve")
    .summary("approve a request, for less if you like")
    .argument("<id>", "the request, jit_…")
    .option("--comment <text>", "for the requester and the record")
    .addOption(forOption("approve for less than was asked"))
    .option("--revision <revision>", "refuse when it is not any more what you saw (jit status shows it)")
    .option("--yes", "do not ask in a terminal whether all that was printed is to be approved")
    .action(async (id: string, options: ApproveOptions, command: Command) => {
      const { comment, for: lasting } = options;
      const session = cli.open(command);
      const shown =
        options.yes === true
          ? undefined
          : await confirmShown(session, id, (request) => approvalQuestion(request, lasting));
      const revision = options.revision ?? shown;
      await press(session, id, "approve", {
        ...(comment !== undefined && { comment }),
        ...(lasting !== undefined && { duration: lasting }),
        ...(revision !== undefined && { revision }),
      });
    });
  for (const [verb, summary] of [
    ["deny", "deny a request"],
    ["revoke", "end somebody's access early"],
  ] as const) {
    program
      .command(verb)
      .summary(summary)
      .argument("<id>", "the request, jit_…")
      .addOption(reasonOption("why; the requester will read it"))
      .action(async (id: string, options: { readonly reason: string }, command: Command) =>
        press(cli.open(command), id, verb, { reason: options.reason }),
      );
  }
}

interface ReviewOptions {
  readonly justified?: boolean;
  readonly unjustified?: boolean;
  readonly yes?: boolean;
  readonly comment: string;
}

function addReview(program: Command, cli: Cli): void {
  program
    .command("review")
    .summary("judge a use of break-glass")
    .description("Judges a use of break-glass. Unjustified ends access that still lasts.")
    .argument("<id>", "the request, jit_…")
    .addOption(new Option("--justified", "it had to be").conflicts("unjustified"))
    .addOption(new Option("--unjustified", "it should not have been").conflicts("justified"))
    .addOption(new Option("--comment <text>", "why you say so").argParser(words).makeOptionMandatory())
    .option("--yes", "do not ask in a terminal whether all that was printed is to be judged so")
    .action(async (id: string, options: ReviewOptions, command: Command) => {
      const { justified = false, unjustified = false, comment } = options;
      if (justified === unjustified) throw misuse("Say --justified or --unjustified.");
      const outcome = justified ? "justified" : "unjustified";
      const session = cli.open(command);
      if (options.yes !== true) {
        await confirmShown(session, id, () => `Judge this emergency access as ${outcome}?`);
      }
      await press(session, id, "review", { outcome, comment });
    });
}

interface RevokeAllOptions {
  readonly identity?: string;
  readonly scopePrefix?: string;
  readonly policy?: string;
  readonly reason: string;
}

function addRevocations(program: Command, cli: Cli): void {
  program
    .command("revoke-all")
    .summary("end all access of a person, of scopes or of a policy")
    .option("--identity <id>", "of this person or program: id_… or an e-mail address")
    .option("--scope-prefix <text>", "of every scope or resource that begins so")
    .option("--policy <policy>", "that this policy governs, by its name or id")
    .addOption(reasonOption("why; those concerned will read it"))
    .action(async (options: RevokeAllOptions, command: Command) => {
      const { identity: identityId, scopePrefix, policy, reason } = options;
      const which = Object.entries({ identityId, scopePrefix, policyId: policy }).filter(
        ([, value]) => value !== undefined,
      );
      if (which.length !== 1) throw misuse("Say exactly one of --identity, --scope-prefix and --policy.");
      if (scopePrefix === "") throw misuse("Say which scopes: an empty --scope-prefix would be everything.");
      const session = cli.open(command);
      const body = {
        ...Object.fromEntries(which),
        ...(policy !== undefined && { policyId: await policyIdOf(session, policy) }),
        reason,
      };
      const answer = await session.api.post("/revoke-all", body);
      const { requests } = readAs(ended, answer);
      await session.show(answer, () => requests.map((id) => `${safeText(id)}\n`).join(""));
      session.note(
        requests.length === 0
          ? "Nothing was ended: no access that lasts is meant."
          : `${requests.length} ended.`,
      );
    });
}

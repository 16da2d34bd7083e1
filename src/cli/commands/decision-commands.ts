import { Option, type Command } from "commander";
import { accessRequest, ended, readAs, type AccessRequest } from "../api/api-schemas.ts";
import { runVerb } from "./access-commands.ts";
import { forOption, nonEmptyText, reasonOption } from "./option-parsers.ts";
import { Failure, misuse } from "../io/failure.ts";
import { policyIdOf } from "./policy-list.ts";
import { safeText } from "../io/safe-text.ts";
import { formatRequest } from "../views/request-view.ts";
import type { Cli, Session } from "../api/session.ts";
import { requestPath } from "../access/wait.ts";

/** Adds the commands of approvers, reviewers and administrators on other people's access. */
export function addDecisionCommands(program: Command, cli: Cli): void {
  addDecisions(program, cli);
  addReview(program, cli);
  addRevocations(program, cli);
}

/**
 * Shows the complete request in a terminal and asks for confirmation, so that a person decides what they have read.
 *
 * @returns the revision that was shown; undefined without a terminal
 */
async function showAndConfirm(
  session: Session,
  id: string,
  question: (request: AccessRequest) => string,
): Promise<string | undefined> {
  const { confirm } = session.io;
  if (confirm === undefined) return undefined;
  const response = await session.api.get(requestPath(id));
  const request = readAs(accessRequest, response);
  await session.show(response, () => formatRequest(request, session.io));
  if (await confirm(`${question(request)} [y/N] `)) return request.revision;
  throw new Failure("refused", "not_confirmed", "Nothing was changed.");
}

function approvalQuestion({ scopes, duration }: AccessRequest, approvedDuration: string = duration): string {
  const what = scopes.length === 1 ? "this access" : `all ${scopes.length} scopes`;
  return `Approve ${what} for ${approvedDuration}?`;
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
    .summary("approve a request, also for a shorter time")
    .argument("<id>", "the request, jit_…")
    .option("--comment <text>", "for the requester and the record")
    .addOption(forOption("approve for less than was asked"))
    .option(
      "--revision <revision>",
      "refuse if the request has changed since (jit status shows the revision)",
    )
    .option("--yes", "do not ask for confirmation in a terminal")
    .action(async (id: string, options: ApproveOptions, command: Command) => {
      const { comment, for: approvedDuration } = options;
      const session = cli.open(command);
      const shownRevision =
        options.yes === true
          ? undefined
          : await showAndConfirm(session, id, (request) => approvalQuestion(request, approvedDuration));
      const revision = options.revision ?? shownRevision;
      await runVerb(session, id, "approve", {
        ...(comment !== undefined && { comment }),
        ...(approvedDuration !== undefined && { duration: approvedDuration }),
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
        runVerb(cli.open(command), id, verb, { reason: options.reason }),
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
    .summary("review a use of break-glass")
    .description("Reviews a use of break-glass. --unjustified ends access that is still active.")
    .argument("<id>", "the request, jit_…")
    .addOption(new Option("--justified", "the use was necessary").conflicts("unjustified"))
    .addOption(new Option("--unjustified", "the use was not necessary").conflicts("justified"))
    .addOption(new Option("--comment <text>", "why").argParser(nonEmptyText).makeOptionMandatory())
    .option("--yes", "do not ask for confirmation in a terminal")
    .action(async (id: string, options: ReviewOptions, command: Command) => {
      const { justified = false, unjustified = false, comment } = options;
      if (justified === unjustified) throw misuse("Use --justified or --unjustified.");
      const outcome = justified ? "justified" : "unjustified";
      const session = cli.open(command);
      if (options.yes !== true) {
        await showAndConfirm(session, id, () => `Review this emergency access as ${outcome}?`);
      }
      await runVerb(session, id, "review", { outcome, comment });
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
      if (which.length !== 1) throw misuse("Use exactly one of --identity, --scope-prefix and --policy.");
      if (scopePrefix === "")
        throw misuse("--scope-prefix must not be empty, because that would end all access.");
      const session = cli.open(command);
      const body = {
        ...Object.fromEntries(which),
        ...(policy !== undefined && { policyId: await policyIdOf(session, policy) }),
        reason,
      };
      const response = await session.api.post("/revoke-all", body);
      const { requests } = readAs(ended, response);
      await session.show(response, () => requests.map((id) => `${safeText(id)}\n`).join(""));
      session.note(
        requests.length === 0 ? "Nothing to end: no active access matches." : `${requests.length} ended.`,
      );
    });
}

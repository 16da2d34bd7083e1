import { Option, type Command } from "commander";
import type { Configuration } from "../../config/config-file.ts";
import { evaluation, readAs } from "../api/api-schemas.ts";
import { askBody, type Wanted } from "../access/ask-and-claim.ts";
import { allScopes, forOption, scope, scopeOption, words } from "./option-parsers.ts";
import { exitCodes } from "../io/exit-codes.ts";
import { formatEvaluation } from "../views/explanation-view.ts";
import { Failure } from "../io/failure.ts";
import type { CliIo } from "../io/cli-io.ts";
import { addPolicyList } from "./policy-list.ts";
import { readStandardInput, readTextFile } from "../io/read-text-file.ts";
import { safeText } from "../io/safe-text.ts";
import { formatJson, type Cli, type GlobalOptions, type Session } from "../api/session.ts";

/** What would happen, and why; and whether a configuration file is in order. */
export function addPolicyCommands(program: Command, cli: Cli): void {
  addWhy(program, cli);
  const policy = program.command("policy").summary("check a configuration file, try policies out, list them");
  addCheck(policy, cli);
  addExplain(policy, cli);
  addPolicyList(policy, cli);
}

interface TryOptions {
  readonly for?: string;
  readonly scope?: readonly string[];
  readonly reason?: string;
  readonly ticket?: string;
  readonly as?: string;
  readonly identity?: string;
  readonly breakGlass?: boolean;
}

const reason = (): Option =>
  new Option("--reason <text>", "as it would be asked with").argParser(words).default("trying out");

function addWhy(program: Command, cli: Cli): void {
  program
    .command("why")
    .summary("try out what asking would lead to, and why")
    .description(
      "A dry run: who would have to approve, and how every policy stands. Exit 1: it would be refused.",
    )
    .argument("[scopes...]", "what would be asked for, action:resource", scope)
    .addOption(scopeOption())
    .addOption(forOption("for how long").default("1h"))
    .addOption(reason())
    .option("--ticket <id>", "the ticket it would be about")
    .option("--break-glass", "as an emergency")
    .option("--as <identity>", "for somebody else (administrators and auditors)")
    .action(async (scopes: readonly string[] | undefined, options: TryOptions, command: Command) => {
      const wanted = triedOf(allScopes(scopes, options.scope), options, options.as);
      const session = cli.open(command);
      await evaluate(session, cli, { request: await askBody(session, wanted) });
    });
}

function addExplain(policy: Command, cli: Cli): void {
  policy
    .command("explain")
    .summary("try out the policies of a file against the running service")
    .description(
      "A dry run with the policies of FILE in place of those in force. People, risk rules and the default policy are\n" +
        "those of the service. Nothing is stored.",
    )
    .argument("<file>", "a configuration file; - for standard input")
    .requiredOption("--identity <id>", "who would ask: id_… or an e-mail address")
    .addOption(scopeOption().makeOptionMandatory())
    .addOption(forOption("for how long").default("1h"))
    .addOption(reason())
    .option("--ticket <id>", "the ticket it would be about")
    .option("--break-glass", "as an emergency")
    .action(async (file: string, options: TryOptions, command: Command) => {
      const wanted = triedOf(allScopes(undefined, options.scope), options, options.identity);
      const checked = await readConfiguration(file, cli.io);
      if ("problems" in checked) return complain(file, checked, cli, command);
      const { writtenPolicy } = await import("../../config/schemas/policy.ts");
      const policies = checked.ok.policies.map((one) => {
        const { id: _, version: __, managedBy: ___, ...content } = writtenPolicy({ ...one, version: 1 });
        return content;
      });
      const session = cli.open(command);
      return evaluate(session, cli, { request: await askBody(session, wanted), policies });
    });
}

function triedOf(
  scopes: readonly string[],
  { for: lasting = "1h", reason: because = "trying out", ticket, breakGlass = false }: TryOptions,
  identityId: string | undefined,
): Wanted {
  return {
    scopes,
    duration: lasting,
    reason: because,
    breakGlass,
    ...(ticket !== undefined && { ticket }),
    ...(identityId !== undefined && { identityId }),
  };
}

async function evaluate(session: Session, cli: Cli, body: object): Promise<void> {
  const answer = await session.api.post("/policies/evaluate", body);
  const evaluated = readAs(evaluation, answer);
  await session.show(answer, () => formatEvaluation(evaluated));
  if (evaluated.outcome === "REFUSED") cli.exitWith(exitCodes.refused.code);
}

function addCheck(policy: Command, cli: Cli): void {
  policy
    .command("check")
    .summary("check a configuration file, without a service")
    .description(
      "Checks a configuration file as the service would at its start. Exit 1: it has problems. Warnings are about\n" +
        "what is valid but probably a mistake: names that are not there, what can never hold or happen. Who was added over\n" +
        "the API is not known here.",
    )
    .argument("<file>", "a configuration file; - for standard input")
    .option("--strict", "exit 1 also with warnings")
    .action(async (file: string, { strict = false }: { strict?: boolean }, command: Command) => {
      const checked = await readConfiguration(file, cli.io);
      if ("problems" in checked) return complain(file, checked, cli, command);
      if (strict && checked.warnings.length > 0) return complainOfWarnings(file, checked, cli, command);
      const { identities, policies, rules } = checked.ok;
      const counts = [
        counted(identities.length, "identity", "identities"),
        counted(policies.length, "policy", "policies"),
        counted(rules.risk.length, "risk rule", "risk rules"),
      ].join(", ");
      const { warnings } = checked;
      const lines = warnings.map(({ line }) => `${safeText(line)}\n`).join("");
      return cli.io.out(
        isJson(command)
          ? `${JSON.stringify({ ok: true, problems: [], warnings: warnings.map(({ fields }) => fields) })}\n`
          : `${lines}${safeText(file)} is in order${lines === "" ? "" : ", with warnings"}: ${counts}.\n`,
      );
    });
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

interface Complaint {
  readonly line: string;
  readonly fields: object;
}

interface Problems {
  readonly problems: readonly Complaint[];
}

interface InOrder {
  readonly ok: Configuration;
  readonly warnings: readonly Complaint[];
}

async function readConfiguration(file: string, { environment }: CliIo): Promise<InOrder | Problems> {
  const text = file === "-" ? await readStandardInput() : readTextFile(file);
  // Loaded when needed: the checks weigh more than all the rest of a command.
  const { formatConfigProblem, readConfigFile } = await import("../../config/config-file.ts");
  const read = readConfigFile(text, file, environment);
  if ("problems" in read) {
    return { problems: read.problems.map((one) => ({ line: formatConfigProblem(one), fields: one })) };
  }
  const { ok, placed } = read;
  const { costlyPatternsOf } = await import("../../core/policy/costly-patterns.ts");
  const costly = placed(costlyPatternsOf(ok.policies, ok.rules));
  if (costly.length > 0) {
    return { problems: costly.map((one) => ({ line: formatConfigProblem(one), fields: one })) };
  }
  const { unresolvedSelectors } = await import("../../core/policy/unresolved-names.ts");
  const { configurationWarnings } = await import("../../core/policy/configuration-warnings.ts");
  const people = ok.identities.map((one) => ({ ...one, listed: true, enabled: true }));
  const found = [...unresolvedSelectors(ok, people), ...configurationWarnings(ok)];
  const warnings = placed(found).map((one) => ({
    line: `warning: ${formatConfigProblem(one)}`,
    fields: one,
  }));
  return { ok, warnings };
}

async function complainOfWarnings(
  file: string,
  { warnings }: InOrder,
  { io }: Cli,
  command: Command,
): Promise<never> {
  const json = JSON.stringify({ ok: false, problems: [], warnings: warnings.map(({ fields }) => fields) });
  await io.out(
    isJson(command) ? formatJson(json, io) : warnings.map(({ line }) => `${safeText(line)}\n`).join(""),
  );
  const count = warnings.length === 1 ? "a warning" : `${warnings.length} warnings`;
  throw new Failure(
    "refused",
    "config_warnings",
    `${file} has ${count}, which --strict does not let pass; correct the file and check it again.`,
  );
}

async function complain(file: string, { problems }: Problems, { io }: Cli, command: Command): Promise<never> {
  const json = JSON.stringify({ ok: false, problems: problems.map(({ fields }) => fields) });
  await io.out(
    isJson(command) ? formatJson(json, io) : problems.map(({ line }) => `${safeText(line)}\n`).join(""),
  );
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  throw new Failure(
    "refused",
    "invalid_config",
    `${file} has ${count}; correct the file and check it again.`,
  );
}

function isJson(command: Command): boolean {
  return command.optsWithGlobals<GlobalOptions>().json === true;
}

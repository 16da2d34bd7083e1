import { Option, type Command } from "commander";
import type { Configuration, ConfigProblem } from "../../config/config-file.ts";
import { evaluation, readAs } from "../api/api-schemas.ts";
import { askBody, type RequestOptions } from "../access/ask-and-claim.ts";
import { allScopes, forOption, nonEmptyText, scope, scopeOption } from "./option-parsers.ts";
import { exitCodes } from "../io/exit-codes.ts";
import { formatEvaluation } from "../views/explanation-view.ts";
import { Failure } from "../io/failure.ts";
import type { CliIo } from "../io/cli-io.ts";
import { addPolicyList } from "./policy-list.ts";
import { readStandardInput, readTextFile } from "../io/read-text-file.ts";
import { safeText } from "../io/safe-text.ts";
import { formatJson, type Cli, type GlobalOptions, type Session } from "../api/session.ts";

/** Adds the commands that check a configuration file, try policies out and list them. */
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
  new Option("--reason <text>", "the reason of the request").argParser(nonEmptyText).default("trying out");

function addWhy(program: Command, cli: Cli): void {
  program
    .command("why")
    .summary("show what a request would lead to, and why")
    .description(
      "A dry run: who would have to approve, and how every policy counts. Exit 1: it would be refused.",
    )
    .argument("[scopes...]", "what would be asked for, action:resource", scope)
    .addOption(scopeOption())
    .addOption(forOption("for how long").default("1h"))
    .addOption(reason())
    .option("--ticket <id>", "the ticket it would be about")
    .option("--break-glass", "as an emergency")
    .option("--as <identity>", "for somebody else (administrators and auditors)")
    .action(async (scopes: readonly string[] | undefined, options: TryOptions, command: Command) => {
      const request = dryRunOptionsOf(allScopes(scopes, options.scope), options, options.as);
      const session = cli.open(command);
      await evaluate(session, cli, { request: await askBody(session, request) });
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
      const request = dryRunOptionsOf(allScopes(undefined, options.scope), options, options.identity);
      const checked = await readConfiguration(file, cli.io);
      if ("problems" in checked) return failWithProblems(file, checked, cli, command);
      const { writtenPolicy } = await import("../../config/schemas/policy.ts");
      const policies = checked.ok.policies.map((policyOfFile) => {
        const written = writtenPolicy({ ...policyOfFile, version: 1 });
        const { id: _, version: __, managedBy: ___, ...content } = written;
        return content;
      });
      const session = cli.open(command);
      return evaluate(session, cli, { request: await askBody(session, request), policies });
    });
}

function dryRunOptionsOf(
  scopes: readonly string[],
  { for: requestedDuration = "1h", reason: why = "trying out", ticket, breakGlass = false }: TryOptions,
  identityId: string | undefined,
): RequestOptions {
  return {
    scopes,
    duration: requestedDuration,
    reason: why,
    breakGlass,
    ...(ticket !== undefined && { ticket }),
    ...(identityId !== undefined && { identityId }),
  };
}

async function evaluate(session: Session, cli: Cli, body: object): Promise<void> {
  const response = await session.api.post("/policies/evaluate", body);
  const evaluated = readAs(evaluation, response);
  await session.show(response, () => formatEvaluation(evaluated));
  if (evaluated.outcome === "REFUSED") cli.exitWith(exitCodes.refused.code);
}

function addCheck(policy: Command, cli: Cli): void {
  policy
    .command("check")
    .summary("check a configuration file, without a service")
    .description(
      "Checks a configuration file as the service would at its start. Exit 1: it has problems. Warnings are about\n" +
        "what is valid but probably a mistake: unknown names, and rules that can never apply. People who were added\n" +
        "through the API are not known here.",
    )
    .argument("<file>", "a configuration file; - for standard input")
    .option("--strict", "exit 1 also with warnings")
    .action(async (file: string, { strict = false }: { strict?: boolean }, command: Command) => {
      const checked = await readConfiguration(file, cli.io);
      if ("problems" in checked) return failWithProblems(file, checked, cli, command);
      if (strict && checked.warnings.length > 0) return failWithWarnings(file, checked, cli, command);
      const { identities, policies, rules } = checked.ok;
      const counts = [
        formatCount(identities.length, "identity", "identities"),
        formatCount(policies.length, "policy", "policies"),
        formatCount(rules.risk.length, "risk rule", "risk rules"),
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

function formatCount(count: number, singular: string, plural: string): string {
  return `${count} ${count === 1 ? singular : plural}`;
}

interface ReportedProblem {
  readonly line: string;
  readonly fields: object;
}

interface Problems {
  readonly problems: readonly ReportedProblem[];
}

interface ValidConfiguration {
  readonly ok: Configuration;
  readonly warnings: readonly ReportedProblem[];
}

async function readConfiguration(
  file: string,
  { environment }: CliIo,
): Promise<ValidConfiguration | Problems> {
  const text = file === "-" ? await readStandardInput() : readTextFile(file);
  // Loaded on demand, because the checks are larger than the rest of the CLI.
  const { formatConfigProblem, readConfigFile } = await import("../../config/config-file.ts");
  const toReported = (problem: ConfigProblem): ReportedProblem => ({
    line: formatConfigProblem(problem),
    fields: problem,
  });
  const read = readConfigFile(text, file, environment);
  if ("problems" in read) {
    return { problems: read.problems.map(toReported) };
  }
  const { ok, locate } = read;
  const { costlyPatternsOf } = await import("../../core/policy/costly-patterns.ts");
  const costly = locate(costlyPatternsOf(ok.policies, ok.rules));
  if (costly.length > 0) return { problems: costly.map(toReported) };
  const { unresolvedSelectors } = await import("../../core/policy/unresolved-names.ts");
  const { configurationWarnings } = await import("../../core/policy/configuration-warnings.ts");
  const people = ok.identities.map((identity) => ({ ...identity, listed: true, enabled: true }));
  const found = [...unresolvedSelectors(ok, people), ...configurationWarnings(ok)];
  const warnings = locate(found).map((warning) => ({
    line: `warning: ${formatConfigProblem(warning)}`,
    fields: warning,
  }));
  return { ok, warnings };
}

async function failWithWarnings(
  file: string,
  { warnings }: ValidConfiguration,
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
    `${file} has ${count}, which --strict refuses; correct the file and check it again.`,
  );
}

async function failWithProblems(
  file: string,
  { problems }: Problems,
  { io }: Cli,
  command: Command,
): Promise<never> {
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

import { Command, CommanderError, Help } from "commander";
import { holdsToken } from "../core/values/mask-tokens.ts";
import { programVersion } from "../core/values/program-version.ts";
import { addAccessCommands } from "./commands/access-commands.ts";
import { addAuditCommands } from "./commands/audit-commands.ts";
import { addConnectorCommands } from "./commands/connector-commands.ts";
import { addDecisionCommands } from "./commands/decision-commands.ts";
import { exitCodes, exitCodesHelp } from "./io/exit-codes.ts";
import { Failure, misuse } from "./io/failure.ts";
import { addHelpCommand } from "./commands/help-command.ts";
import { addKeyCommands } from "./commands/key-commands.ts";
import { addLockdown } from "./commands/lockdown-command.ts";
import { addManifestCommands } from "./commands/manifest-commands.ts";
import type { CliIo } from "./io/cli-io.ts";
import { addPeopleCommands } from "./commands/people-commands.ts";
import { addPolicyCommands } from "./commands/policy-commands.ts";
import { addQueryCommands } from "./commands/query-commands.ts";
import { addRunCommand } from "./commands/run-command.ts";
import { addSshCaCommands } from "./commands/ssh-ca-commands.ts";
import { noteLine, openSession, formatJson, type Cli, type GlobalOptions } from "./api/session.ts";
import { defaultUrl } from "./io/settings.ts";

/** Runs one command line, without the program name. It never throws, and returns the exit code. */
export async function runJit(args: readonly string[], io: CliIo): Promise<number> {
  let exitCode: number = exitCodes.ok.code;
  const program = createProgram({
    io,
    open: (command) => openSession(io, command.optsWithGlobals<GlobalOptions>()),
    exitWith: (code) => {
      exitCode = code;
    },
  });
  try {
    refuseSecrets(args);
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    return reportFailure(error, io, program.opts<GlobalOptions>().json === true);
  }
}

/** Creates the program with every command. */
export function createProgram(cli: Cli): Command {
  const { io } = cli;
  const program = new Command("jit")
    .description("Ask for access, decide on requests, and manage access.")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.out(text),
      writeErr: (text) => io.err(text),
      getOutHelpWidth: () => io.columns,
      getErrHelpWidth: () => io.columns,
    })
    .configureHelp({
      showGlobalOptions: true,
      optionDescription: (option) =>
        new Help().optionDescription(option) +
        (option.mandatory && option.defaultValue === undefined ? " (required)" : ""),
    })
    .option("--json", "print the unchanged response of the API, refusals too")
    .option("--key-file <file>", "read the API key from this file")
    .version(programVersion, "-V, --version", "print the version")
    .addHelpText("after", `\n${environmentHelp}\n${exitCodesHelp()}`);
  program.commandsGroup("Access:");
  addAccessCommands(program, cli);
  addRunCommand(program, cli);
  program.commandsGroup("Deciding:");
  addDecisionCommands(program, cli);
  addLockdown(program, cli);
  program.commandsGroup("Looking:");
  addQueryCommands(program, cli);
  program.commandsGroup("Administering:");
  addPolicyCommands(program, cli);
  addPeopleCommands(program, cli);
  addKeyCommands(program, cli);
  addConnectorCommands(program, cli);
  addSshCaCommands(program, cli);
  addAuditCommands(program, cli);
  program.commandsGroup("Setting up chat:");
  addManifestCommands(program, cli);
  addHelpCommand(program);
  pointToOwnHelp(program, program.name(), io);
  return program;
}

/** Makes the usage error of each command name the help of that command. */
function pointToOwnHelp(command: Command, path: string, io: CliIo): void {
  command.configureOutput({ outputError: (text) => io.err(usageLine(text, `${path} --help`)) });
  for (const subcommand of command.commands) {
    pointToOwnHelp(subcommand, `${path} ${subcommand.name()}`, io);
  }
}

const environmentHelp = `Environment:
  JIT_URL       the address of the service (${defaultUrl})
  JIT_KEY       your API key, kd_live_…
  JIT_KEY_FILE  or a file that holds it`;

/** Refuses tokens in our arguments, because every user can read command lines and shells store them. */
function refuseSecrets(args: readonly string[]): void {
  const end = args.indexOf("--");
  const own = end === -1 ? args : args.slice(0, end);
  if (own.some(holdsToken)) {
    throw misuse(
      "A key or token stands on the command line, where others can read it: replace it, and use JIT_KEY or --key-file.",
    );
  }
}

async function reportFailure(error: unknown, io: CliIo, isJson: boolean): Promise<number> {
  if (error instanceof CommanderError) {
    // Commander also throws for help and version, with exit code 0.
    return error.exitCode === 0 ? exitCodes.ok.code : exitCodes.usage.code;
  }
  if (error instanceof Failure) {
    if (isJson && error.problem !== undefined) await io.out(formatJson(error.problem, io));
    io.err(noteLine(`${error.message} (${error.code})`));
    return error.exitCode;
  }
  const what = error instanceof Error ? error.message : String(error);
  io.err(noteLine(`Something went wrong inside jit itself, please report it: ${what} (internal)`));
  return exitCodes.internal.code;
}

/** Formats a usage error of commander like our other errors. */
function usageLine(text: string, help: string): string {
  const usage = text
    .replace(/^error: /, "")
    .trim()
    .replaceAll("\n", " ")
    .replace(/\.$/, "");
  return noteLine(`${usage}; see ${help}. (usage)`);
}

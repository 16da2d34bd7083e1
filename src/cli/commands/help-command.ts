import type { Command } from "commander";
import { misuse } from "../io/failure.ts";

/** Adds `help` for commands and sub-commands, such as `help keys create`. */
export function addHelpCommand(program: Command): void {
  program.helpCommand(false);
  program
    .command("help")
    .helpGroup("Commands:")
    .summary("display help for command")
    .argument("[command...]", "such as ask, or keys create")
    .action((names: readonly string[]) => commandAt(program, names).outputHelp());
}

function commandAt(program: Command, names: readonly string[]): Command {
  let command = program;
  for (const name of names) {
    const subcommand = command.commands.find((candidate) => candidate.name() === name);
    if (subcommand === undefined) throw misuse(`There is no command ${names.join(" ")}; see jit --help.`);
    command = subcommand;
  }
  return command;
}

import type { Command } from "commander";
import { misuse } from "../io/failure.ts";

/** `help` of a command, and of one below another: `help keys create`. */
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
  let at = program;
  for (const name of names) {
    const below = at.commands.find((one) => one.name() === name);
    if (below === undefined) throw misuse(`There is no command ${names.join(" ")}; see jit --help.`);
    at = below;
  }
  return at;
}

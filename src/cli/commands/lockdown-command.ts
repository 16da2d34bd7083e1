import type { Command } from "commander";
import { lockdown, readAs } from "../api/api-schemas.ts";
import { nonEmptyText } from "./option-parsers.ts";
import { misuse } from "../io/failure.ts";
import type { Cli } from "../api/session.ts";
import { fields } from "../views/table.ts";
import { formatTime } from "../io/format-time.ts";

/** Adds the command for the lockdown, which refuses new access. */
export function addLockdown(program: Command, cli: Cli): void {
  program
    .command("lockdown")
    .summary("stop all new access, or allow it again")
    .description("During a lockdown only break-glass access is granted. Existing access stays.")
    .argument("<state>", "on, off, or status to show it")
    .option("--reason <text>", "why; for the record (required with on and off)", nonEmptyText)
    .action(async (state: string, { reason }: { readonly reason?: string }, command: Command) => {
      if (state === "status") return show(command, cli);
      if (state !== "on" && state !== "off") {
        throw misuse("Use lockdown on, lockdown off or lockdown status.");
      }
      if (reason === undefined) throw misuse(`Say why with --reason: jit lockdown ${state} --reason TEXT.`);
      const session = cli.open(command);
      const response = await session.api.post("/lockdown", { on: state === "on", reason });
      const { on } = readAs(lockdown, response);
      await session.show(response, () => `Lockdown is ${on ? "on" : "off"}.\n`);
    });
}

async function show(command: Command, cli: Cli): Promise<void> {
  const session = cli.open(command);
  const response = await session.api.get("/lockdown");
  const { on, changedAt, changedBy, reason } = readAs(lockdown, response);
  await session.show(response, () =>
    fields([
      ["Lockdown", on ? "on" : "off"],
      ["Since", changedAt && formatTime(changedAt, session.io)],
      ["By", changedBy],
      ["Reason", reason],
    ]),
  );
}

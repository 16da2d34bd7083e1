import type { Command } from "commander";
import { lockdown, readAs } from "../api/api-schemas.ts";
import { words } from "./option-parsers.ts";
import { misuse } from "../io/failure.ts";
import type { Cli } from "../api/session.ts";
import { fields } from "../views/table.ts";
import { formatTime } from "../io/format-time.ts";

/** The switch that keeps new access from being given. */
export function addLockdown(program: Command, cli: Cli): void {
  program
    .command("lockdown")
    .summary("stop all new access, or allow it again")
    .description("While it is on, nothing new is given except by break-glass. What was given before stays.")
    .argument("<state>", "on, off, or status for what it is now")
    .option("--reason <text>", "why; for the record (required with on and off)", words)
    .action(async (wanted: string, { reason }: { readonly reason?: string }, command: Command) => {
      if (wanted === "status") return show(command, cli);
      if (wanted !== "on" && wanted !== "off") {
        throw misuse("Say lockdown on, lockdown off or lockdown status.");
      }
      if (reason === undefined) throw misuse(`Say why with --reason: jit lockdown ${wanted} --reason TEXT.`);
      const session = cli.open(command);
      const answer = await session.api.post("/lockdown", { on: wanted === "on", reason });
      const { on } = readAs(lockdown, answer);
      await session.show(answer, () => `Lockdown is ${on ? "on" : "off"}.\n`);
    });
}

async function show(command: Command, cli: Cli): Promise<void> {
  const session = cli.open(command);
  const answer = await session.api.get("/lockdown");
  const { on, changedAt, changedBy, reason } = readAs(lockdown, answer);
  await session.show(answer, () =>
    fields([
      ["Lockdown", on ? "on" : "off"],
      ["Since", changedAt && formatTime(changedAt, session.io)],
      ["By", changedBy],
      ["Reason", reason],
    ]),
  );
}

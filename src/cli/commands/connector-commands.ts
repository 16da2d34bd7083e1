import type { Command } from "commander";
import {
  abandonedObject,
  confirmedAddress,
  connectorList,
  connectorsChecked,
  readAs,
} from "../api/api-schemas.ts";
import { reasonOption } from "./option-parsers.ts";
import { exitCodes } from "../io/exit-codes.ts";
import { safeLines, safeText } from "../io/safe-text.ts";
import type { Cli } from "../api/session.ts";
import { table } from "../views/table.ts";

/** Adds the commands for connectors, for administrators. */
export function addConnectorCommands(program: Command, cli: Cli): void {
  const connectors = program.command("connectors").summary("the systems where access is provisioned");
  addList(connectors, cli);
  addCheck(connectors, cli);
  addAbandon(connectors, cli);
  addConfirm(connectors, cli);
}

function addList(connectors: Command, cli: Cli): void {
  connectors
    .command("list")
    .summary("list connectors with their objects, and how many of those are overdue")
    .action(async (_options: object, command: Command) => {
      const session = cli.open(command);
      const response = await session.api.get("/connectors");
      const { data } = readAs(connectorList, response);
      const problems = data.flatMap(({ name, problem }) =>
        problem == null ? [] : [safeLines(`${name}: ${problem}.\n`)],
      );
      await session.show(
        response,
        () =>
          table(
            ["NAME", "KIND", "OBJECTS", "OVERDUE", "WHERE"],
            data.map(({ name, kind, targets, overdue, place }) => [
              name,
              kind,
              String(targets),
              String(overdue),
              place ?? "",
            ]),
            session.io,
          ) + problems.join(""),
      );
    });
}

function addCheck(connectors: Command, cli: Cli): void {
  connectors
    .command("check")
    .summary("check every connector; exit 1 when something is wrong")
    .description(
      "Tries every connector of the running service: its rights there, the version, the clocks.\n" +
        "Prints the SQL or file lines that fix what is wrong. Changes nothing.\n" +
        "A line with ? is not verified: it cannot be tried without a change, or is out of reach.",
    )
    .action(async (_options: object, command: Command) => {
      const session = cli.open(command);
      const response = await session.api.post("/connectors/check", {});
      const { ok, data } = readAs(connectorsChecked, response);
      await session.show(response, () => data.map(checkText).join("") || "No connectors are configured.\n");
      if (!ok) cli.exitWith(exitCodes.refused.code);
    });
}

function addAbandon(connectors: Command, cli: Cli): void {
  connectors
    .command("abandon")
    .summary("give up an object at a target that is lost for good")
    .description(
      "The service stops trying to take the object back, and records it as never confirmed gone.\n" +
        "Active access ends with it. If the target returns, the object is removed as an orphan.",
    )
    .argument("<connector>", "its name, even if it is no longer in the configuration")
    .argument("<object>", "as jit status prints it, such as jit_gr_…")
    .addOption(reasonOption("why; for the record"))
    .action(
      async (name: string, object: string, { reason }: { readonly reason: string }, command: Command) => {
        const session = cli.open(command);
        const path = `/connectors/${encodeURIComponent(name)}/abandon`;
        const response = await session.api.post(path, { object, reason });
        const done = readAs(abandonedObject, response);
        await session.show(
          response,
          () =>
            `${safeText(done.object)} at ${safeText(done.connector)} is abandoned. It was never confirmed gone.\n`,
        );
      },
    );
}

function addConfirm(connectors: Command, cli: Cli): void {
  connectors
    .command("confirm")
    .summary("say that a changed address leads to the same target")
    .description(
      "For a connector that holds objects and whose new address could not be proven to lead to the same target.\n" +
        "Make sure that it does: from then on its objects are looked for at the new address only.",
    )
    .argument("<connector>", "its name")
    .argument("<place>", "the new address, as jit connectors list prints it")
    .addOption(reasonOption("how you know; for the record"))
    .action(
      async (name: string, place: string, { reason }: { readonly reason: string }, command: Command) => {
        const session = cli.open(command);
        const path = `/connectors/${encodeURIComponent(name)}/confirm`;
        const response = await session.api.post(path, { place, reason });
        const done = readAs(confirmedAddress, response);
        await session.show(
          response,
          () => `${safeText(done.connector)} is reached at ${safeText(done.place)} now.\n`,
        );
      },
    );
}

type Checked = ReturnType<typeof connectorsChecked.parse>["data"][number];

const headings = {
  in_order: "in order",
  problem: "NOT IN ORDER",
  not_verified: "nothing wrong was found, but not everything is verified",
} as const;
const marks = { in_order: "ok  ", problem: "BAD ", not_verified: "?   " } as const;

function checkText({ name, kind, result, findings }: Checked): string {
  const lines = findings.flatMap(({ result: finding, what, fix = "" }) => [
    `  ${marks[finding]} ${what}`,
    ...fix.split("\n").flatMap((line) => (line === "" ? [] : [`         ${line}`])),
  ]);
  return safeLines(`${[`${name} (${kind}): ${headings[result]}`, ...lines].join("\n")}\n`);
}

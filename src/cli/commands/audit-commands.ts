import { Option, type Command } from "commander";
import { auditActions } from "../../core/audit/audit-record.ts";
import { minuteMs } from "../../core/values/time.ts";
import { auditRecord, auditVerdict, pageOf, readAs, type AuditRecord } from "../api/api-schemas.ts";
import { pageSize, wholeNumber } from "./option-parsers.ts";
import { exitCodes } from "../io/exit-codes.ts";
import { misuse } from "../io/failure.ts";
import { outPathOf, writeAtomically } from "../io/out-file.ts";
import type { CliIo } from "../io/cli-io.ts";
import { notePage } from "./query-commands.ts";
import { safeLines } from "../io/safe-text.ts";
import type { Cli } from "../api/session.ts";
import { fields, table } from "../views/table.ts";
import { formatTime } from "../io/format-time.ts";

/** Adds the commands for the audit log, for auditors and administrators. */
export function addAuditCommands(program: Command, cli: Cli): void {
  const audit = program.command("audit").summary("read, check and export the audit log");
  addList(audit, cli);
  addVerify(audit, cli);
  addExport(audit, cli);
}

interface ListOptions {
  readonly after?: string;
  readonly limit?: string;
  readonly request?: string;
  readonly action?: string;
}

function addList(audit: Command, cli: Cli): void {
  audit
    .command("list")
    .summary("list records, oldest first")
    .addOption(new Option("--after <seq>", "only records after this one").argParser(wholeNumber))
    .addOption(new Option("--limit <n>", "how many at most, up to 200").argParser(pageSize))
    .option("--request <id>", "only about this request, jit_…")
    .addOption(new Option("--action <action>", "only of this kind, such as grant.started"))
    .action(async ({ after, limit, request, action }: ListOptions, command: Command) => {
      if (action !== undefined && !auditActions.some((known) => known === action)) {
        throw misuse(
          `There is no action ${action}; an action is such as ${auditActions.slice(0, 3).join(", ")}.`,
        );
      }
      const session = cli.open(command);
      const response = await session.api.get("/audit", { query: { after, limit, request, action } });
      const { data, nextCursor } = readAs(pageOf(auditRecord), response);
      await session.show(response, () =>
        table(
          ["SEQ", "AT", "ACTION", "BY", "VIA", "ABOUT"],
          data.map((record) => [
            String(record.seq),
            formatTime(record.at, session.io),
            record.action,
            record.actor.name,
            record.actor.via,
            aboutText(record),
          ]),
          session.io,
        ),
      );
      notePage(session, nextCursor, "--after");
    });
}

/** The request or identity of a record; for records without either, what distinguishes them. */
function aboutText({ action, request, identity, data = {} }: AuditRecord): string {
  const about = request ?? identity;
  const textOf = (name: string): string => {
    const value = data[name];
    return typeof value === "string" ? value : "";
  };
  if (action.endsWith("refused")) return `${about ?? ""} ${textOf("code")}`.trim();
  if (about !== undefined) return about;
  switch (action) {
    case "lockdown.changed":
      return `${data["on"] === true ? "on" : "off"}: ${textOf("reason")}`;
    case "orphan.found":
    case "orphan.removed":
      return `${textOf("object")} at ${textOf("connector")}`;
    case "policy.changed":
      return `${textOf("name")}: ${textOf("change")}`;
    case "config.loaded":
      return textOf("file");
    default:
      return "";
  }
}

interface VerifyOptions {
  readonly seq?: string;
  readonly head?: string;
}

function brokenText(isChanged: boolean, tail: string | undefined): string {
  if (isChanged) return "The audit log was changed after it was written.";
  if (tail === "shorter") return "Records were cut off at the end of the audit log.";
  if (tail === "differs") return "The audit log is not the one that this head comes from.";
  return "There are requests or grants whose state no record explains.";
}

/** Extra time, because verifying a long chain is slow. */
const verifyMs = 10 * minuteMs;

function addVerify(audit: Command, cli: Cli): void {
  audit
    .command("verify")
    .summary("recompute the whole chain; exit 1 when it is broken")
    .addOption(new Option("--seq <seq>", "number of a head that you kept").argParser(wholeNumber))
    .option("--head <hash>", "and its hash")
    .action(async ({ seq, head: seen }: VerifyOptions, command: Command) => {
      if ((seq === undefined) !== (seen === undefined)) throw misuse("--seq and --head come together.");
      const session = cli.open(command);
      const query = { seq, head: seen };
      const response = await session.api.get("/audit/verify", { query, extraMs: verifyMs });
      const { ok, events, head, tail, firstBad, missing } = readAs(auditVerdict, response);
      const isChanged = firstBad !== undefined;
      await session.show(response, () =>
        fields([
          ["Chain", isChanged ? "BROKEN" : "unbroken"],
          ["Records", String(events)],
          ["Head", head],
          ["Tail", tail ?? null],
          ["First bad", isChanged ? `record ${firstBad.seq} (${firstBad.kind})` : null],
          ["No record of", missing === undefined ? null : missing.map(({ id }) => id).join(", ")],
        ]),
      );
      if (ok && tail === "matches") return undefined;
      if (ok) {
        return session.note(
          "Pass a head that you kept with --seq and --head: without one, missing records at the end are not found.",
        );
      }
      cli.exitWith(exitCodes.refused.code);
      return session.note(`${brokenText(isChanged, tail)} (audit_broken)`);
    });
}

interface ExportOptions {
  readonly format: string;
  readonly out?: string;
}

function addExport(audit: Command, cli: Cli): void {
  audit
    .command("export")
    .summary("write out the whole log")
    .addOption(
      new Option("--format <format>", "one record a line, or a table")
        .choices(["jsonl", "csv"])
        .default("jsonl"),
    )
    .option("--out <file>", "into this file, which appears when it is complete; absent: standard output")
    .action(async ({ format, out }: ExportOptions, command: Command) => {
      const session = cli.open(command);
      const path = out === undefined ? undefined : await outPathOf(out);
      const chunks = await session.api.stream("/audit/export", { format });
      if (path === undefined) return printChunks(chunks, session.io);
      await writeAtomically(chunks, path);
      return session.note(`Written to ${out}.`);
    });
}

async function printChunks(chunks: AsyncIterable<Uint8Array>, { out, isTerminal }: CliIo): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of chunks) {
    await out(isTerminal ? safeLines(decoder.decode(chunk, { stream: true })) : chunk);
  }
}

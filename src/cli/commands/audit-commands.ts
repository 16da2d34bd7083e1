import { Option, type Command } from "commander";
import { auditActions } from "../../core/audit/audit-record.ts";
import { minuteMs } from "../../core/values/time.ts";
import { auditRecord, auditVerdict, pageOf, readAs, type AuditRecord } from "../api/api-schemas.ts";
import { pageSize, wholeNumber } from "./option-parsers.ts";
import { exitCodes } from "../io/exit-codes.ts";
import { misuse } from "../io/failure.ts";
import { outPlaceOf, writeWhole } from "../io/out-file.ts";
import type { CliIo } from "../io/cli-io.ts";
import { notePage } from "./query-commands.ts";
import { safeLines } from "../io/safe-text.ts";
import type { Cli } from "../api/session.ts";
import { fields, table } from "../views/table.ts";
import { formatTime } from "../io/format-time.ts";

/** The audit log, for auditors and administrators. */
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
      if (action !== undefined && !auditActions.some((one) => one === action)) {
        throw misuse(
          `There is no action ${action}; an action is such as ${auditActions.slice(0, 3).join(", ")}.`,
        );
      }
      const session = cli.open(command);
      const answer = await session.api.get("/audit", { query: { after, limit, request, action } });
      const { data, nextCursor } = readAs(pageOf(auditRecord), answer);
      await session.show(answer, () =>
        table(
          ["SEQ", "AT", "ACTION", "BY", "VIA", "ABOUT"],
          data.map((one) => [
            String(one.seq),
            formatTime(one.at, session.io),
            one.action,
            one.actor.name,
            one.actor.via,
            aboutText(one),
          ]),
          session.io,
        ),
      );
      notePage(session, nextCursor, "--after");
    });
}

/** The request or person it is about; of what is about neither, what tells it from others of its kind. */
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
  if (tail === "differs") return "The audit log is not the one that this head was taken of.";
  return "There are requests or grants whose state no record explains.";
}

/** A long chain takes its time. */
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
      const answer = await session.api.get("/audit/verify", { query, extraMs: verifyMs });
      const { ok, events, head, tail, firstBad, missing } = readAs(auditVerdict, answer);
      const isChanged = firstBad !== undefined;
      await session.show(answer, () =>
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
          "Give a head you kept with --seq and --head: a cut tail is not seen without one.",
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
    .option("--out <file>", "into this file, which appears when all of it is there; absent: standard output")
    .action(async ({ format, out }: ExportOptions, command: Command) => {
      const session = cli.open(command);
      const place = out === undefined ? undefined : await outPlaceOf(out);
      const pieces = await session.api.stream("/audit/export", { format });
      if (place === undefined) return toTerminalOrPipe(pieces, session.io);
      await writeWhole(pieces, place);
      return session.note(`Written to ${out}.`);
    });
}

async function toTerminalOrPipe(
  pieces: AsyncIterable<Uint8Array>,
  { out, isTerminal }: CliIo,
): Promise<void> {
  const decoder = new TextDecoder();
  for await (const piece of pieces) {
    await out(isTerminal ? safeLines(decoder.decode(piece, { stream: true })) : piece);
  }
}

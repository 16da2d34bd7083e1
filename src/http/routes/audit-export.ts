import { Readable } from "node:stream";
import { z } from "zod";
import type { AuditRow } from "../../service/ports/store.ts";
import type { Services } from "../../service/services.ts";
import { toRecordResponse } from "./audit.ts";
import { reauthenticate } from "../middleware/authentication.ts";
import { callerOf, type App } from "../middleware/route-access.ts";
import { valueOrThrow } from "../formats/problems.ts";

const columns = [
  "seq",
  "at",
  "action",
  "actor",
  "via",
  "request",
  "identity",
  "data",
  "previousHash",
  "hash",
];
const query = z.strictObject({
  format: z.enum(["jsonl", "csv"]).default("jsonl").describe("One record a line, or a table."),
});

/** Streams the whole log, so that memory use does not grow with it and a slow reader slows the database reads. */
export function addAuditExport(app: App, { audit, apiKeys }: Pick<Services, "audit" | "apiKeys">): void {
  app.get(
    "/audit/export",
    {
      config: { roles: ["auditor", "admin"], auditRead: "export" },
      schema: {
        summary: "Export the audit log",
        description: "Cells that a spreadsheet would take for a formula are defused.",
        tags: ["audit"],
        querystring: query,
      },
    },
    async (request, reply) => {
      const { format } = request.query;
      const rows = whileAllowed(valueOrThrow(await audit.exported(callerOf(request), format)), async () => {
        await reauthenticate({ apiKeys }, request);
      });
      const type = format === "csv" ? "text/csv; charset=utf-8" : "application/jsonl; charset=utf-8";
      const name = `audit.${format}`;
      return reply
        .type(type)
        .header("content-disposition", `attachment; filename="${name}"`)
        .send(format === "csv" ? await csvOf(rows) : Readable.from(linesOf(rows)));
    },
  );
}

/** The caller is authenticated again after so many rows, because a slow reader can keep an export open for long. */
const rowsPerCheck = 200;

/** Breaks the stream when the reader may no longer read, so that the export never looks complete. */
async function* whileAllowed(
  rows: AsyncIterable<AuditRow>,
  assertAllowed: () => Promise<void>,
): AsyncGenerator<AuditRow> {
  let count = 0;
  for await (const row of rows) {
    if (count > 0 && count % rowsPerCheck === 0) await assertAllowed();
    count++;
    yield row;
  }
}

async function* linesOf(rows: AsyncIterable<AuditRow>): AsyncGenerator<string> {
  for await (const row of rows) yield `${JSON.stringify(toRecordResponse(row))}\n`;
}

async function csvOf(rows: AsyncIterable<AuditRow>): Promise<Readable> {
  // Loaded on demand, because CSV exports are rare.
  const { stringify } = await import("csv-stringify");
  const table = stringify({ header: true, columns, escape_formulas: true, record_delimiter: "windows" });
  const source = Readable.from(cellsOf(rows));
  source.on("error", (error) => table.destroy(error));
  return source.pipe(table);
}

async function* cellsOf(rows: AsyncIterable<AuditRow>): AsyncGenerator<readonly string[]> {
  for await (const row of rows) {
    const {
      seq,
      at,
      action,
      actor,
      request = "",
      identity = "",
      data,
      previousHash,
      hash,
    } = toRecordResponse(row);
    const { via, ...who } = actor;
    yield [
      String(seq),
      at,
      action,
      JSON.stringify(who),
      via,
      request,
      identity,
      JSON.stringify(data),
      previousHash,
      hash,
    ];
  }
}

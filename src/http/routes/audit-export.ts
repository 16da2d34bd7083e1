import { Readable } from "node:stream";
import { z } from "zod";
import type { AuditRow } from "../../service/ports/store.ts";
import type { Services } from "../../service/services.ts";
import { toRecordResponse } from "./audit.ts";
import { callerAgain } from "../middleware/authentication.ts";
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

/** The whole log as a stream: memory stays flat however long it is, and a slow reader slows the reading. */
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
        await callerAgain({ apiKeys }, request);
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

/** Rows between two looks at whether the reader may still have them: an export can take as long as its reader likes. */
const rowsPerLook = 200;

/** A reader who may not go on gets a broken stream, never one that looks whole. */
async function* whileAllowed(
  rows: AsyncIterable<AuditRow>,
  look: () => Promise<void>,
): AsyncGenerator<AuditRow> {
  let count = 0;
  for await (const row of rows) {
    if (count > 0 && count % rowsPerLook === 0) await look();
    count++;
    yield row;
  }
}

async function* linesOf(rows: AsyncIterable<AuditRow>): AsyncGenerator<string> {
  for await (const row of rows) yield `${JSON.stringify(toRecordResponse(row))}\n`;
}

async function csvOf(rows: AsyncIterable<AuditRow>): Promise<Readable> {
  // Loaded when somebody wants a table, which is rare.
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

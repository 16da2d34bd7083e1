import { z } from "zod";
import { auditActions } from "../../core/audit/audit-record.ts";
import { parseId } from "../../core/values/ids.ts";
import { parsedText } from "../../config/schemas/parsed-text.ts";
import type { AuditRow } from "../../service/ports/store.ts";
import { missingMax } from "../../service/reports/audit-service.ts";
import type { Services } from "../../service/services.ts";
import { callerOf, type App } from "../middleware/route-access.ts";
import { limit } from "../formats/pagination.ts";
import { valueOrThrow } from "../formats/problems.ts";
import { at } from "../formats/representations.ts";

/** The body of a stored record. See docs/audit.md#the-record. */
const recordBody = z.object({
  at,
  action: z.string(),
  actor: z.object({
    type: z.string(),
    id: z.string(),
    name: z.string(),
    via: z.string(),
    key: z.object({ id: z.string(), mintedBy: z.string() }).optional(),
  }),
  request: z.string().optional(),
  identity: z.string().optional(),
  data: z.record(z.string(), z.unknown()),
});

const record = recordBody
  .extend({ seq: z.number(), previousHash: z.string(), hash: z.string() })
  .meta({ id: "AuditRecord" });

function recordNumber(description: string) {
  return parsedText(
    (text) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined),
    "must be the seq of a record: a whole number",
    { description, pattern: "^[0-9]{1,15}$" },
  );
}
const after = recordNumber("Records with a higher `seq`.");

const auditQuery = z.strictObject({
  after: after.default(0),
  limit,
  request: z.exactOptional(z.string().max(200)).describe("About this request."),
  action: z.exactOptional(z.enum(auditActions)),
});

const verdict = z.object({
  ok: z.boolean(),
  events: z.number(),
  head: z.string().describe("Keep it elsewhere: the log itself cannot show that its end was cut off."),
  tail: z
    .enum(["unproven", "matches", "differs", "shorter"])
    .describe(
      "How the log compares with the head you gave. `unproven`: you gave none, so records may have been cut off at the end. `differs`, `shorter`: history was rewritten, or records were cut off.",
    ),
  firstBad: z.object({ seq: z.number(), kind: z.enum(["hash", "body", "gap"]) }).optional(),
  missing: z
    .array(z.object({ kind: z.enum(["request", "grant"]), id: z.string() }))
    .readonly()
    .optional()
    .describe(`Requests and grants whose state no record explains, at most ${missingMax}.`),
});

const headHash = parsedText(
  (text) => (/^[0-9a-f]{64}$/i.test(text) ? text.toLowerCase() : undefined),
  "must be the hash of a record: 64 hexadecimal digits",
  { description: "The head kept outside: the `hash` of that record.", pattern: "^[0-9A-Fa-f]{64}$" },
);

const verifyQuery = z
  .strictObject({
    seq: z.exactOptional(recordNumber("The `seq` of a head kept outside.")),
    head: z.exactOptional(headHash),
  })
  .superRefine(({ seq, head }, context) => {
    if ((seq === undefined) === (head === undefined)) return;
    const path = seq === undefined ? "seq" : "head";
    context.addIssue({ code: "custom", path: [path], message: "is missing: seq and head come together" });
  });

const roles = ["auditor", "admin"] as const;
const tags = ["audit"];

export function addAuditRoutes(app: App, { audit }: Pick<Services, "audit">): void {
  app.get(
    "/audit",
    {
      config: { roles, auditRead: "events" },
      schema: {
        summary: "Read the audit log, oldest first",
        tags,
        querystring: auditQuery,
        response: {
          200: z.object({
            data: z.array(record).readonly(),
            nextCursor: z
              .number()
              .nullable()
              .describe("The next `after`; null when there is nothing more yet."),
          }),
        },
      },
    },
    async (request) => {
      const { request: about, action, ...query } = request.query;
      const requestId = about === undefined ? undefined : parseId("request", about);
      const isAboutNothing = about !== undefined && requestId === undefined;
      const rows = valueOrThrow(
        await audit.events(callerOf(request), {
          ...query,
          ...(requestId !== undefined && { request: requestId }),
          ...(action !== undefined && { action }),
        }),
      );
      const data = isAboutNothing ? [] : rows.map(toRecordResponse);
      const isFull = data.length === query.limit;
      return { data, nextCursor: isFull ? (data.at(-1)?.seq ?? null) : null };
    },
  );

  app.get(
    "/audit/verify",
    {
      config: { roles, auditRead: "verify" },
      schema: {
        summary: "Recompute the whole chain, and compare it with what is stored",
        description: "With `seq` and `head`, also with a head that you kept outside.",
        tags,
        querystring: verifyQuery,
        response: { 200: verdict },
      },
    },
    async (request) => {
      const { seq, head } = request.query;
      const seen = seq === undefined || head === undefined ? undefined : { seq, hash: head };
      return valueOrThrow(await audit.verify(callerOf(request), seen));
    },
  );
}

/** A stored record as the API returns it. */
export function toRecordResponse({ seq, body, previousHash, hash }: AuditRow): z.output<typeof record> {
  return { seq, ...recordBody.parse(JSON.parse(body)), previousHash, hash };
}

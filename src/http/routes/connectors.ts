import { z } from "zod";
import { checkResults } from "../../service/ports/connector.ts";
import type { CheckedConnector } from "../../service/targets/connector-service.ts";
import type { Services } from "../../service/services.ts";
import { callerOf, type App } from "../middleware/route-access.ts";
import { valueOrThrow } from "../formats/problems.ts";
import { abandonBody, checkBody, confirmBody } from "../formats/request-schemas.ts";

const connector = z
  .object({
    name: z.string(),
    kind: z.string(),
    place: z.string().nullable().describe("Which system it is, without secrets."),
    problem: z.string().nullable().describe("Why it differs from the configuration; null when it does not."),
    proposedPlace: z.string().nullable().describe("A changed address that waits to be confirmed."),
    targets: z.number().describe("How many objects of ours may be there."),
    overdue: z.number().describe("How many of them should be gone."),
  })
  .meta({ id: "Connector" });

const result = z
  .enum(checkResults)
  .describe(
    "in_order: tried and correct. problem: it has to be fixed. " +
      "not_verified: it cannot be tried without a change, or is out of reach.",
  );
const checked = z
  .object({
    name: z.string(),
    kind: z.string(),
    ok: z.boolean().describe("Whether no problem was found; `result` says whether everything was verified."),
    result: result.describe("The worst of the findings."),
    findings: z
      .array(
        z.object({
          what: z.string(),
          ok: z.boolean().describe("Whether it is in order; false also when it is not verified."),
          result,
          fix: z.string().optional().describe("SQL, commands or file lines that fix or verify it."),
        }),
      )
      .readonly(),
  })
  .meta({ id: "CheckedConnector" });

const connectorName = z.object({ name: z.string().max(100) });
const abandoned = z
  .object({
    connector: z.string(),
    object: z.string(),
    state: z.literal("ABANDONED").describe("Never confirmed gone."),
    request: z.string().describe("The request it was made for."),
  })
  .meta({ id: "AbandonedObject" });

const tags = ["connectors"];

/** Adds the routes that list connectors and check their rights at the targets. */
export function addConnectorRoutes(app: App, services: Pick<Services, "connectors">): void {
  const { connectors } = services;
  addLostTargetRoutes(app, services);
  app.get(
    "/connectors",
    {
      config: { roles: ["admin", "auditor"] },
      schema: {
        summary: "List the connectors",
        tags,
        response: { 200: z.object({ data: z.array(connector).readonly() }) },
      },
    },
    async (request) => ({ data: valueOrThrow(await connectors.list(callerOf(request))) }),
  );

  app.post(
    "/connectors/check",
    {
      config: { roles: ["admin"] },
      schema: {
        summary: "Try every connector",
        description:
          "Rights of our account there, version, difference of the clocks. Changes nothing there. " +
          "What cannot be tried without a change is reported as not verified.",
        tags,
        body: checkBody,
        response: { 200: z.object({ ok: z.boolean(), data: z.array(checked).readonly() }) },
      },
    },
    async (request) => {
      const data = valueOrThrow(await connectors.check(callerOf(request))).map(toResponse);
      return { ok: data.every(({ ok }) => ok), data };
    },
  );
}

/** Adds the routes for a target that is lost or was moved. */
function addLostTargetRoutes(app: App, { connectors }: Pick<Services, "connectors">): void {
  app.post(
    "/connectors/:name/abandon",
    {
      config: { roles: ["admin"], freeText: ["reason"], refusals: ["not_found", "already_abandoned"] },
      schema: {
        summary: "Give up an object at a target that is lost for good",
        description:
          "The service stops trying to take it back; it was never confirmed gone. Active access ends in the same " +
          "commit. If the target returns, the object is removed as an orphan.",
        tags,
        params: connectorName,
        body: abandonBody,
        response: { 200: abandoned },
      },
    },
    async (request) => {
      const { name } = request.params;
      const { requestId, ...object } = valueOrThrow(
        await connectors.abandon(callerOf(request), name, request.body),
      );
      return { ...object, request: requestId };
    },
  );

  app.post(
    "/connectors/:name/confirm",
    {
      config: { roles: ["admin"], freeText: ["reason"], refusals: ["not_found"] },
      schema: {
        summary: "Confirm that a changed address leads to the same target",
        description:
          "For a connector that holds objects and whose new address could not be proven to lead to the same " +
          "target. From then on the objects are looked for at the new address only.",
        tags,
        params: connectorName,
        body: confirmBody,
        response: { 200: z.object({ connector: z.string(), place: z.string() }) },
      },
    },
    async (request) =>
      valueOrThrow(await connectors.confirm(callerOf(request), request.params.name, request.body)),
  );
}

function toResponse({ name, kind, result: worst, findings }: CheckedConnector) {
  return {
    name,
    kind,
    ok: worst !== "problem",
    result: worst,
    findings: findings.map((finding) => ({ ...finding, ok: finding.result === "in_order" })),
  };
}

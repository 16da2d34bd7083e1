import { z } from "zod";
import type { Services } from "../service/services.ts";
import { callerOf, type App } from "./door.ts";
import { granted } from "./problems.ts";
import { checkBody } from "./request-schemas.ts";

const connector = z
  .object({
    name: z.string(),
    kind: z.string(),
    place: z.string().nullable().describe("Which system it is, without secrets."),
    targets: z.number().describe("How many objects of ours may be there."),
    overdue: z.number().describe("How many of them should be gone."),
  })
  .meta({ id: "Connector" });

const checked = z
  .object({
    name: z.string(),
    kind: z.string(),
    ok: z.boolean(),
    findings: z
      .array(
        z.object({
          what: z.string(),
          ok: z.boolean(),
          fix: z.string().optional().describe("SQL or file lines that mend it."),
        }),
      )
      .readonly(),
  })
  .meta({ id: "CheckedConnector" });

const tags = ["connectors"];

/** The systems that access is given at: which there are, and whether they would let us. */
export function addConnectorRoutes(app: App, { connectors }: Pick<Services, "connectors">): void {
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
    async (request) => ({ data: granted(await connectors.list(callerOf(request))) }),
  );

  app.post(
    "/connectors/check",
    {
      config: { roles: ["admin"] },
      schema: {
        summary: "Try every connector",
        description: "Rights of our account there, version, difference of the clocks. Changes nothing there.",
        tags,
        body: checkBody,
        response: { 200: z.object({ ok: z.boolean(), data: z.array(checked).readonly() }) },
      },
    },
    async (request) => {
      const data = granted(await connectors.check(callerOf(request)));
      return { ok: data.every((one) => one.ok), data };
    },
  );
}

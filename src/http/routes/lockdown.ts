import { z } from "zod";
import type { Services } from "../../service/services.ts";
import { callerOf, type App } from "../middleware/route-access.ts";
import { valueOrThrow } from "../formats/problems.ts";
import { at } from "../formats/representations.ts";
import { lockdownBody, noQuery } from "../formats/request-schemas.ts";

const tags = ["policies"];

/** Adds the routes that read and change the lockdown, which refuses new access. */
export function addLockdownRoutes(app: App, { lockdown }: Pick<Services, "lockdown">): void {
  app.get(
    "/lockdown",
    {
      config: { roles: ["admin", "auditor"] },
      schema: {
        summary: "Whether a lockdown is on",
        description: "And who changed it last, when and why; null when nobody ever has.",
        tags,
        querystring: noQuery,
        response: {
          200: z.object({
            on: z.boolean(),
            changedAt: at.nullable(),
            changedBy: z.string().nullable(),
            reason: z.string().nullable(),
          }),
        },
      },
    },
    async (request) => {
      const { on, last } = valueOrThrow(await lockdown.read(callerOf(request)));
      return {
        on,
        changedAt: last?.at ?? null,
        changedBy: last?.byName ?? null,
        reason: last?.reason ?? null,
      };
    },
  );

  app.post(
    "/lockdown",
    {
      config: { roles: ["admin"], freeText: ["reason"] },
      schema: {
        summary: "Begin or end a lockdown",
        description: "During a lockdown only break-glass access is granted. Existing access stays.",
        tags,
        body: lockdownBody,
        response: { 200: z.object({ on: z.boolean() }) },
      },
    },
    async (request) => {
      const { on, reason } = request.body;
      return valueOrThrow(await lockdown.change(callerOf(request), on, reason));
    },
  );
}

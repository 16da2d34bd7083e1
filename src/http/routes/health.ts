import { z } from "zod";
import { programVersion } from "../../core/values/program-version.ts";
import type { App } from "../middleware/route-access.ts";
import { problem, sendProblem } from "../formats/problems.ts";
import { logFault } from "../middleware/access-log.ts";

/** Something the service needs to do its work. */
export interface ReadinessCheck {
  readonly ok: boolean;
  /** A few words for an operator, without secrets. */
  readonly detail?: string;
  /** Not ok means that an operator should look, not that the service cannot do its work. */
  readonly advisory?: true;
}

/** Every check by its name. Asked at each probe. */
export type Readiness = () => Promise<Readonly<Record<string, ReadinessCheck>>>;

const checks = z.record(
  z.string(),
  z.object({ ok: z.boolean(), detail: z.string().optional(), advisory: z.literal(true).optional() }),
);
const config = { keyless: true, limited: "nothing" } as const;
const tags = ["health"];

/** Probes: the process answers, and it could do its work. */
export function addHealthRoutes(app: App, readiness: Readiness): void {
  app.get(
    "/healthz",
    {
      config,
      schema: {
        summary: "Whether the process answers, and which version it is",
        tags,
        response: { 200: z.object({ status: z.literal("ok"), version: z.string() }) },
      },
    },
    async () => ({ status: "ok", version: programVersion }) as const,
  );

  app.get(
    "/readyz",
    {
      config,
      schema: {
        summary: "Whether it can do its work",
        description: "503, with the same `checks`, when something it needs is missing.",
        tags,
        response: { 200: z.object({ status: z.literal("ready"), checks }) },
      },
    },
    async (request, reply) => {
      const found = await readiness().catch((fault: unknown): Readonly<Record<string, ReadinessCheck>> => {
        logFault(request, fault, "readiness cannot be told");
        return { readiness: { ok: false } };
      });
      const missing = Object.entries(found).flatMap(([name, { ok, advisory }]) =>
        ok || advisory === true ? [] : [name],
      );
      if (missing.length === 0) return { status: "ready", checks: found } as const;
      return sendProblem(reply, problem("not_ready", `Not ready: ${missing.join(", ")}.`, { checks: found }));
    },
  );
}

import { z } from "zod";
import { programVersion } from "../../core/values/program-version.ts";
import type { App } from "../middleware/route-access.ts";
import { problem, sendProblem } from "../formats/problems.ts";
import { logFault } from "../middleware/access-log.ts";

/** The state of one part that the service needs. */
export interface ReadinessCheck {
  readonly ok: boolean;
  /** A short text for an operator, without secrets. */
  readonly detail?: string;
  /** A failed check needs an operator's attention, but the service still does its work. */
  readonly advisory?: true;
}

/** Runs every check, by name, at each probe. */
export type Readiness = () => Promise<Readonly<Record<string, ReadinessCheck>>>;

const checks = z.record(
  z.string(),
  z.object({ ok: z.boolean(), detail: z.string().optional(), advisory: z.literal(true).optional() }),
);
const config = { isPublic: true, limited: "nothing" } as const;
const tags = ["health"];

/** Adds the probes: `/healthz` for the process, `/readyz` for its ability to work. */
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
        summary: "Whether the service can do its work",
        description: "503, with the same `checks`, when something it needs is missing.",
        tags,
        response: { 200: z.object({ status: z.literal("ready"), checks }) },
      },
    },
    async (request, reply) => {
      const found = await readiness().catch((fault: unknown): Readonly<Record<string, ReadinessCheck>> => {
        logFault(request, fault, "readiness check failed");
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

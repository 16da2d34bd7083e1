import type { FastifyReply } from "fastify";
import { z } from "zod";
import { secondMs } from "../../core/values/time.ts";
import type { App } from "../middleware/route-access.ts";

/** The metrics that the server counts and Prometheus reads. */
export interface HttpMetrics {
  readonly responded: (method: string, route: string, status: number, seconds: number) => void;
  readonly refused: (code: string) => void;
  readonly authenticationFailed: (kind: "api_key" | "token") => void;
  readonly contentType: string;
  readonly render: () => Promise<string>;
}

/** Counts a response by the pattern of its route, because a path holds ids and names of people. */
export function countResponse(
  metrics: HttpMetrics,
  method: string,
  route = "none",
  reply: FastifyReply,
): void {
  metrics.responded(method, route, reply.statusCode, reply.elapsedTime / secondMs);
  if (reply.problemCode !== null) metrics.refused(reply.problemCode);
}

/** Adds `/metrics` for Prometheus. */
export function addMetrics(app: App, metrics: HttpMetrics): void {
  app.get(
    "/metrics",
    {
      config: { isPublic: true, limited: "nothing" },
      schema: {
        summary: "Metrics for Prometheus",
        tags: ["health"],
        response: { 200: z.string().describe("Prometheus text.") },
      },
    },
    async (_, reply) => reply.type(metrics.contentType).send(await metrics.render()),
  );
}

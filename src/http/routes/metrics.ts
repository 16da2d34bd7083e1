import type { FastifyReply } from "fastify";
import { z } from "zod";
import { secondMs } from "../../core/values/time.ts";
import type { App } from "../middleware/route-access.ts";

/** What the scraper reads and the server feeds. */
export interface HttpMetrics {
  readonly responded: (method: string, route: string, status: number, seconds: number) => void;
  readonly refused: (code: string) => void;
  readonly authenticationFailed: (kind: "api_key" | "token") => void;
  readonly contentType: string;
  readonly render: () => Promise<string>;
}

/** Counts an answer by the pattern of its route: no ids, no people. */
export function countResponse(
  metrics: HttpMetrics,
  method: string,
  route = "none",
  reply: FastifyReply,
): void {
  metrics.responded(method, route, reply.statusCode, reply.elapsedTime / secondMs);
  if (reply.problemCode !== null) metrics.refused(reply.problemCode);
}

/** `/metrics` for Prometheus. */
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

import { z } from "zod";
import { secondMs } from "../core/time.ts";
import type { App } from "./door.ts";

/** What the scraper reads and the server feeds. */
export interface HttpMetrics {
  readonly answered: (method: string, route: string, status: number, seconds: number) => void;
  readonly refused: (code: string) => void;
  readonly contentType: string;
  readonly render: () => Promise<string>;
}

/** `/metrics` for Prometheus, and the counting of every answer. Routes by their pattern: no ids, no people. */
export function addMetrics(app: App, metrics: HttpMetrics): void {
  app.addHook("onResponse", (request, reply, done) => {
    const route = request.routeOptions.url ?? "none";
    metrics.answered(request.method, route, reply.statusCode, reply.elapsedTime / secondMs);
    if (reply.problemCode !== null) metrics.refused(reply.problemCode);
    done();
  });
  app.get(
    "/metrics",
    {
      config: { keyless: true, limited: "nothing" },
      schema: {
        summary: "Metrics for Prometheus",
        tags: ["health"],
        response: { 200: z.string().describe("Prometheus text.") },
      },
    },
    async (_, reply) => reply.type(metrics.contentType).send(await metrics.render()),
  );
}

import type { FastifyReply, FastifyRequest, RouteOptions } from "fastify";
import type { App } from "../middleware/route-access.ts";
import { nothingHere } from "../middleware/not-found.ts";
import type { OpenApiPages } from "./openapi-pages.ts";
import { sendRefusal } from "../formats/problems.ts";

/**
 * Serves `/openapi.json` and `/docs`, made from the schemas that validate when somebody asks for the first time. Comes
 * before the routes it documents.
 */
export function addDocumentation(app: App, publicUrl: string | undefined): void {
  const routes: RouteOptions[] = [];
  app.addHook("onRoute", (route) => {
    if (isDocumented(route)) routes.push({ ...route });
  });
  let making: Promise<OpenApiPages> | undefined;
  app.addHook("onClose", async () => (await making)?.close());

  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    making ??= import("./openapi-pages.ts").then((pages) => pages.createOpenApiPages(routes, publicUrl));
    const pages = await making;
    const ifNoneMatch = request.headers["if-none-match"];
    const page = await pages.page({ url: request.url, ...(ifNoneMatch !== undefined && { ifNoneMatch }) });
    if (page.status === 404) return sendRefusal(reply, nothingHere);
    return reply.code(page.status).headers(page.headers).send(page.body);
  };
  for (const url of ["/openapi.json", "/docs", "/docs/*"]) app.get(url, { schema: { hide: true } }, answer);
}

/** The HEAD that comes with each GET goes without saying. */
function isDocumented({ schema, method }: RouteOptions): boolean {
  return schema?.tags !== undefined && schema.hide !== true && method !== "HEAD";
}

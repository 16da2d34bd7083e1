import type { FastifyReply, FastifyRequest, RouteOptions } from "fastify";
import type { App } from "../middleware/route-access.ts";
import { nothingHere } from "../middleware/not-found.ts";
import type { OpenApiPages } from "./openapi-pages.ts";
import { sendRefusal } from "../formats/problems.ts";

/**
 * Serves `/openapi.json` and `/docs`, built on first use from the schemas that validate. Call it before the routes to be
 * documented are added.
 */
export function addDocumentation(app: App, publicUrl: string | undefined): void {
  const routes: RouteOptions[] = [];
  app.addHook("onRoute", (route) => {
    if (isDocumented(route)) routes.push({ ...route });
  });
  let pagesPromise: Promise<OpenApiPages> | undefined;
  app.addHook("onClose", async () => (await pagesPromise)?.close());

  const sendPage = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    pagesPromise ??= import("./openapi-pages.ts").then(async ({ createOpenApiPages }) =>
      createOpenApiPages(routes, publicUrl),
    );
    const pages = await pagesPromise;
    const ifNoneMatch = request.headers["if-none-match"];
    const page = await pages.page({ url: request.url, ...(ifNoneMatch !== undefined && { ifNoneMatch }) });
    if (page.status === 404) return sendRefusal(reply, nothingHere);
    return reply.code(page.status).headers(page.headers).send(page.body);
  };
  for (const url of ["/openapi.json", "/docs", "/docs/*"]) app.get(url, { schema: { hide: true } }, sendPage);
}

/** HEAD is not documented, because every GET has it. */
function isDocumented({ schema, method }: RouteOptions): boolean {
  return schema?.tags !== undefined && schema.hide !== true && method !== "HEAD";
}

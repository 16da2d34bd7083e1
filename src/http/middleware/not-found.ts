import type { FastifyReply, FastifyRequest } from "fastify";
import { refuse } from "../../core/values/refusals.ts";
import type { App } from "./route-access.ts";
import { RefusalError } from "../formats/problems.ts";

/** Refuses calls without a route: 405 with `Allow` where the path exists, else 404. @throws RefusalError */
export function createNotFound(app: App) {
  return (request: FastifyRequest, reply: FastifyReply): never => {
    const allowed = methodsAt(app, pathOf(request.url));
    if (allowed.length === 0) throw new RefusalError(nothingHere);
    reply.header("allow", allowed.join(", "));
    throw new RefusalError(
      refuse("method_not_allowed", `This path takes ${allowed.join(", ")}, not ${request.method}.`),
    );
  };
}

export const nothingHere = refuse("not_found", "There is nothing at this path.");

/** The path as sent, without its query. */
export function pathOf(url: string): string {
  const end = url.search(/[?#]/);
  return end === -1 ? url : url.slice(0, end);
}

function methodsAt(app: App, url: string): readonly string[] {
  return app.supportedMethods.filter((method) => isDeclared(app, method, url));
}

function isDeclared(app: App, method: string, url: string): boolean {
  return app.findRoute({ method, url }) !== null;
}

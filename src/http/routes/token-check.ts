import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { StoreUnavailable } from "../../service/ports/store.ts";
import type { Services } from "../../service/services.ts";
import { bearerOf, type App } from "../middleware/route-access.ts";
import type { Limits } from "../middleware/rate-limits.ts";
import { METHODS } from "../formats/node-http-tables.ts";
import { logFault } from "../middleware/access-log.ts";

const checkPath = "/api/v1/check";

/**
 * Forward-auth for proxies: may the bearer of this `kd_jit_` token do what they are about to? Any method, any path
 * below, and no body is read. Answers 200, 401, 403 and nothing else (503 when the store fails), never a body.
 */
export function addCheckRoutes(
  app: App,
  { tokenChecks }: Pick<Services, "tokenChecks">,
  limits: Limits,
): void {
  const sendVerdict = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const token = bearerOf(request);
    const check =
      token === undefined
        ? ({ allowed: false, known: false } as const)
        : await tokenChecks.check(token, requiredScopes(request));
    if (check.allowed) {
      reply.headers({
        "x-jit-identity": check.identity,
        "x-jit-scopes": check.scopes,
        "x-jit-request": check.request,
      });
      return reply.code(200).send();
    }
    if (token !== undefined && !check.known) limits.reportInvalid("token");
    const isTooMany = await limits.isFailureLimitExceeded(request);
    if (check.known && !isTooMany) return reply.code(403).send();
    return reply.code(401).header("www-authenticate", "Bearer").send();
  };

  /** Answers before the body is read, so that its type and size do not matter. The handler is never reached. */
  const onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    try {
      return await sendVerdict(request, reply);
    } catch (fault) {
      logFault(request, fault, fault instanceof StoreUnavailable ? "store unavailable" : "check failed");
      return reply.code(503).header("retry-after", "1").send();
    }
  };
  const config = { isPublic: true, limited: "nothing" } as const;

  app.get(
    checkPath,
    {
      config,
      exposeHeadRoute: false,
      onRequest,
      schema: {
        summary: "Check a credential for a proxy",
        description:
          "Any method, here and below. The required scopes are all `scope` query values and `X-JIT-Scope` headers together. 200 carries X-JIT-Identity, X-JIT-Scopes and X-JIT-Request. Never a body.",
        tags: ["credentials"],
        security: [{ credential: [] }],
        response: {
          200: z.null().describe("The credential has all required scopes."),
          401: z.null().describe("No active credential, or too many failures from this address."),
          403: z.null().describe("A required scope is missing, or no scope was named."),
          503: z.null().describe("The database cannot be read."),
        },
      },
    },
    async (_, reply) => reply,
  );
  for (const method of METHODS) {
    if (app.supportedMethods.includes(method) || method === "CONNECT") continue;
    app.addHttpMethod(method, { hasBody: true });
  }
  const others = app.supportedMethods.filter((method) => method !== "GET");
  app.route({
    method: others,
    url: checkPath,
    config,
    onRequest,
    schema: { hide: true },
    handler: async (_, reply) => reply,
  });
}

/** Routes every path below the check to the check itself, because proxies append the path they were called with. */
export function withoutPathBelowCheck(url: string): string {
  if (!url.startsWith(`${checkPath}/`)) return url;
  const query = url.indexOf("?");
  return query === -1 ? checkPath : `${checkPath}${url.slice(query)}`;
}

function requiredScopes({ query, headers }: FastifyRequest): readonly string[] {
  const inQuery = typeof query === "object" && query !== null && "scope" in query ? query.scope : undefined;
  return [inQuery, headers["x-jit-scope"]]
    .flat()
    .flatMap((text) => (typeof text === "string" ? text.split(/[\s,]+/) : []))
    .filter((scope) => scope !== "");
}

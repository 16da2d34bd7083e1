import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { Services } from "../../service/services.ts";
import { formBytesMax, formContentType, readFormBodies } from "../middleware/body-parsers.ts";
import type { App } from "../middleware/route-access.ts";
import type { Limits } from "../middleware/rate-limits.ts";

const tokenField = z.string().max(1_000).describe("The token itself.");
const hint = z.exactOptional(z.string()).describe("Taken and not needed.");
const consumes = [formContentType];
const tags = ["credentials"];

const introspection = z.union([
  z.object({
    active: z.literal(true),
    scope: z.string().describe("Separated by spaces."),
    sub: z.string().describe("The identity's id."),
    username: z.string().optional().describe("Its e-mail address."),
    exp: z.number(),
    iat: z.number(),
    jti: z.string().describe("The request's id."),
    break_glass: z.boolean(),
  }),
  z.object({ active: z.literal(false) }),
]);

/** The two doors that take a form: RFC 7662 and RFC 7009. Fields beyond the named ones are passed over, as both say. */
export async function addFormRoutes(
  app: App,
  { tokenChecks }: Pick<Services, "tokenChecks">,
  limits: Limits,
): Promise<void> {
  readFormBodies(app);

  app.post(
    "/credentials/introspect",
    {
      bodyLimit: formBytesMax,
      config: { roles: ["resource"], limited: "failures", withoutBrowserHeaders: true },
      // The compiler has seen that it is one of the two: what is asked by the thousand is not looked through again.
      serializerCompiler: () => JSON.stringify,
      schema: {
        summary: "What a credential is good for at this moment",
        tags,
        consumes,
        body: z.object({ token: tokenField, token_type_hint: hint }),
        response: { 200: introspection },
      },
    },
    async (request) => {
      const found = await tokenChecks.introspect(request.body.token);
      if (!found.active) {
        limits.reportInvalid("token");
        await limits.countFailure(request);
      }
      return found;
    },
  );

  app.post(
    "/credentials/revoke",
    {
      bodyLimit: formBytesMax,
      // No limit: whoever floods us must not keep somebody else's leaked token alive. A small body keeps a call cheap.
      config: { isPublic: true, limited: "nothing", refusals: ["store_unavailable"] },
      schema: {
        summary: "Report a leaked token",
        description: "What the token opened ends. The answer is the same whatever it was.",
        tags,
        consumes,
        body: z.object({ token: z.string().default(""), token_type_hint: hint }),
        response: { 200: z.null().describe("Whatever the token was.") },
      },
    },
    async (request, reply) => {
      await tokenChecks.report(request.body.token);
      return nothing(reply);
    },
  );
}

/** 200 without a body, which no schema has a word for. */
function nothing(reply: FastifyReply): FastifyReply {
  return reply.code(200).send();
}

import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { Services } from "../../service/services.ts";
import { formBytesMax, formContentType, readFormBodies } from "../middleware/body-parsers.ts";
import type { App } from "../middleware/route-access.ts";
import type { Limits } from "../middleware/rate-limits.ts";

const tokenField = z.string().max(1_000).describe("The token itself.");
const hint = z.exactOptional(z.string()).describe("Accepted and ignored.");
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

/** Adds the two routes that take a form, RFC 7662 and RFC 7009. Both RFCs require that unknown fields are ignored. */
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
      // The type checker has verified the response, and this route is called too often to validate it again.
      serializerCompiler: () => JSON.stringify,
      schema: {
        summary: "What a credential allows at this moment",
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
      // No rate limit: a flood must not keep a leaked token alive. Small bodies keep calls cheap.
      config: { isPublic: true, limited: "nothing", refusals: ["store_unavailable"] },
      schema: {
        summary: "Report a leaked token",
        description: "Ends the access of the token. The response is the same for every token.",
        tags,
        consumes,
        body: z.object({ token: z.string().default(""), token_type_hint: hint }),
        response: { 200: z.null().describe("Also for an unknown token.") },
      },
    },
    async (request, reply) => {
      await tokenChecks.report(request.body.token);
      return sendEmpty(reply);
    },
  );
}

/** Sends 200 without a body, which no response schema can express. */
function sendEmpty(reply: FastifyReply): FastifyReply {
  return reply.code(200).send();
}

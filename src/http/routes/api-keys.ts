import { z } from "zod";
import { roles } from "../../core/values/identity.ts";
import { formatInstant } from "../../core/values/time.ts";
import { listOf, name, time } from "../../config/schemas/values.ts";
import type { ApiKey } from "../../service/ports/store.ts";
import type { Services } from "../../service/services.ts";
import { callerOf, type App } from "../middleware/route-access.ts";
import { formatCursor, pageOf, pageQuery, paging } from "../formats/pagination.ts";
import { valueOrThrow } from "../formats/problems.ts";
import { at } from "../formats/representations.ts";
import { identityName, idParams } from "../formats/request-schemas.ts";

const role = z.enum(roles);

const key = z
  .object({
    id: z.string(),
    identityId: z.string(),
    roles: z.array(role).readonly(),
    name: z.string().nullable(),
    last4: z.string(),
    mintedBy: z.string().describe("Who made it."),
    createdAt: at,
    expiresAt: at.nullable().describe("Null for the built-in key."),
  })
  .meta({ id: "ApiKey" });

const newKey = key.extend({ token: z.string().describe("Shown in this one answer only.") });

const keyBody = z.strictObject({
  identityId: identityName.describe("Whose it will be: by id or e-mail address."),
  roles: listOf(role, { min: 1, max: roles.length }, (one) => one),
  name: z.exactOptional(name),
  expiresAt: z.exactOptional(time).describe("In the future, at most a year away; 90 days when left out."),
});

const tags = ["API keys"];

export function addApiKeyRoutes(app: App, { apiKeys }: Pick<Services, "apiKeys">): void {
  app.get(
    "/api-keys",
    {
      config: { roles: ["admin", "auditor"] },
      schema: {
        summary: "List API keys, newest first",
        tags,
        querystring: z.strictObject(paging),
        response: { 200: pageOf(key) },
      },
    },
    async (request) => {
      const page = valueOrThrow(await apiKeys.list(callerOf(request), pageQuery(request.query)));
      return { data: page.rows.map(toResponse), nextCursor: formatCursor(page.next) };
    },
  );

  app.post(
    "/api-keys",
    {
      config: { roles: ["admin"], refusals: ["identity_unknown"] },
      schema: {
        summary: "Make an API key",
        description: "A person is notified that a key was made for them, and by whom.",
        tags,
        body: keyBody,
        response: { 201: newKey },
      },
    },
    async (request, reply) => {
      const { name: keyName = null, ...input } = request.body;
      const made = valueOrThrow(await apiKeys.create(callerOf(request), { ...input, name: keyName }));
      return reply
        .code(201)
        .header("location", `/api/v1/api-keys/${made.key.id}`)
        .send({ ...toResponse(made.key), token: made.token });
    },
  );

  app.delete(
    "/api-keys/:id",
    {
      config: { roles: ["admin"] },
      schema: {
        summary: "End an API key",
        description: "It stops working immediately. Returns the key as it was.",
        tags,
        params: idParams,
        response: { 200: key },
      },
    },
    async (request) => toResponse(valueOrThrow(await apiKeys.remove(callerOf(request), request.params.id))),
  );
}

function toResponse(apiKey: ApiKey): z.output<typeof key> {
  const { id, identityId, last4, mintedBy, createdAt, expiresAt } = apiKey;
  return {
    id,
    identityId,
    roles: apiKey.roles,
    name: apiKey.name,
    last4,
    mintedBy,
    createdAt: formatInstant(createdAt),
    expiresAt: expiresAt === null ? null : formatInstant(expiresAt),
  };
}

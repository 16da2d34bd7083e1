import { z } from "zod";
import { isActive, roles, type Identity } from "../../core/values/identity.ts";
import { identityChange, newIdentity } from "../../config/schemas/identity.ts";
import type { Services } from "../../service/services.ts";
import { callerOf, type App } from "../middleware/route-access.ts";
import { formatCursor, pageOf, pageQuery, paging } from "../formats/pagination.ts";
import { valueOrThrow } from "../formats/problems.ts";
import { textsOf } from "../formats/representations.ts";
import { idParams, noQuery } from "../formats/request-schemas.ts";

const identity = z
  .object({
    id: z.string(),
    kind: z.enum(["HUMAN", "SERVICE"]),
    email: z.string().nullable(),
    name: z.string(),
    managerId: z.string().nullable(),
    groups: textsOf,
    active: z.boolean(),
    links: z.object({
      slack: z.object({ teamId: z.string(), userId: z.string() }).optional(),
      teams: z.object({ tenantId: z.string(), aadObjectId: z.string() }).optional(),
    }),
    managedBy: z.enum(["file", "api", "built-in"]),
  })
  .meta({ id: "Identity" });

const linkParams = z.object({ id: z.string(), platform: z.enum(["slack", "teams"]) });
const tags = ["identities"];

export function addIdentityRoutes(app: App, { directory }: Pick<Services, "directory">): void {
  app.get(
    "/identities",
    {
      config: { roles: ["admin", "auditor"] },
      schema: {
        summary: "List identities, newest first",
        tags,
        querystring: z.strictObject(paging),
        response: { 200: pageOf(identity) },
      },
    },
    async (request) => {
      const page = valueOrThrow(await directory.list(callerOf(request), pageQuery(request.query)));
      return { data: page.rows.map(toResponse), nextCursor: formatCursor(page.next) };
    },
  );

  app.post(
    "/identities",
    {
      config: { roles: ["admin"], refusals: ["name_taken", "identity_unknown"] },
      schema: { summary: "Create an identity", tags, body: newIdentity, response: { 201: identity } },
    },
    async (request, reply) => {
      const body = toResponse(valueOrThrow(await directory.create(callerOf(request), request.body)));
      return reply.code(201).header("location", `/api/v1/identities/${body.id}`).send(body);
    },
  );

  app.get(
    "/identities/:id",
    {
      config: { roles },
      schema: {
        summary: "Read an identity",
        description:
          "By id or e-mail address. One's own, also by the name `me`; any, for an administrator or auditor.",
        tags,
        params: idParams,
        querystring: noQuery,
        response: { 200: identity },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { id } = request.params;
      return toResponse(valueOrThrow(await directory.read(caller, id === "me" ? caller.identity.id : id)));
    },
  );

  app.patch(
    "/identities/:id",
    {
      config: { roles: ["admin"], refusals: ["name_taken", "identity_unknown", "managed_by_file"] },
      schema: {
        summary: "Change an identity",
        description:
          "By id or e-mail address. Omitted fields stay, null removes a value. A deactivated identity can do nothing from that moment on, and its access ends. For identities that the file manages only `active` can be changed.",
        tags,
        params: idParams,
        body: identityChange,
        response: { 200: identity },
      },
    },
    async (request) =>
      toResponse(valueOrThrow(await directory.change(callerOf(request), request.params.id, request.body))),
  );

  addLinkRoute(app, directory);
}

function addLinkRoute(app: App, directory: Services["directory"]): void {
  app.delete(
    "/identities/:id/links/:platform",
    {
      config: { roles: ["admin"], refusals: ["managed_by_file"] },
      schema: {
        summary: "Unlink a chat account from an identity",
        description:
          "By id or e-mail address. For links made in chat or through the API; links in the configuration file are changed there. The account belongs to nobody from that moment on.",
        tags,
        params: linkParams,
        response: { 200: identity },
      },
    },
    async (request) => {
      const { id, platform } = request.params;
      return toResponse(valueOrThrow(await directory.unlink(callerOf(request), id, platform)));
    },
  );
}

function toResponse(value: Identity): z.output<typeof identity> {
  const { id, kind, email = null, name, managerId = null, groups, links, managedBy } = value;
  return { id, kind, email, name, managerId, groups, active: isActive(value), links, managedBy };
}

import { z } from "zod";
import type { ActiveAccess } from "../../service/reports/active-access-service.ts";
import type { Services } from "../../service/services.ts";
import { callerOf, type App } from "../middleware/route-access.ts";
import { formatCursor, pageOf, pageQuery } from "../formats/pagination.ts";
import { valueOrThrow } from "../formats/problems.ts";
import { at, textsOf } from "../formats/representations.ts";
import { accessQuery, catalogQuery, revokeAllBody } from "../formats/request-schemas.ts";

const activeAccessEntry = z
  .object({
    request: z.string(),
    identityId: z.string(),
    name: z.string(),
    email: z.string().nullable(),
    scopes: textsOf,
    reason: z.string(),
    startedAt: at.nullable(),
    expiresAt: at.nullable(),
    breakGlass: z.boolean(),
  })
  .meta({ id: "Holding" });

const offer = z
  .object({
    name: z.string(),
    description: z.string().nullable(),
    scopes: textsOf,
    outcome: z.enum(["AUTO_APPROVED", "NEEDS_APPROVAL"]).describe("The outcome of a request made now."),
  })
  .meta({ id: "Offer" });

const tags = ["access"];

/** Adds the routes for active access, the catalog of what one may ask for, and mass revocation. */
export function addActiveAccessRoutes(
  app: App,
  { activeAccess, massRevocation }: Pick<Services, "activeAccess" | "massRevocation">,
): void {
  app.get(
    "/access",
    {
      config: { roles: ["requester", "approver", "auditor", "admin"], refusals: ["identity_unknown"] },
      schema: {
        summary: "Who has what now",
        description: "One's own and what one may decide; all of it for an auditor or administrator.",
        tags,
        querystring: accessQuery,
        response: { 200: pageOf(activeAccessEntry) },
      },
    },
    async (request) => {
      const { limit: _, cursor: __, ...filter } = request.query;
      const page = valueOrThrow(await activeAccess.held(callerOf(request), filter, pageQuery(request.query)));
      return { data: page.rows.map(toResponse), nextCursor: formatCursor(page.next) };
    },
  );

  app.get(
    "/catalog",
    {
      config: { roles: ["requester"], refusals: ["invalid_duration"] },
      schema: {
        summary: "What the caller may ask for",
        tags,
        querystring: catalogQuery,
        response: { 200: z.object({ data: z.array(offer).readonly() }) },
      },
    },
    async (request) => {
      const offers = valueOrThrow(await activeAccess.catalog(callerOf(request), request.query.duration));
      return { data: offers.map(({ description = null, ...rest }) => ({ ...rest, description })) };
    },
  );

  app.post(
    "/revoke-all",
    {
      config: { roles: ["admin"], freeText: ["reason"], refusals: ["identity_unknown", "not_found"] },
      schema: {
        summary: "End all access of a person, of scopes or of a policy",
        description:
          "Ends what is approved or active. Start a lockdown first to refuse new access meanwhile. An unknown identity or policy is refused.",
        tags,
        body: revokeAllBody,
        response: { 200: z.object({ ended: z.number(), requests: textsOf }) },
      },
    },
    async (request) => {
      const { reason, ...which } = request.body;
      const requests = valueOrThrow(await massRevocation.revokeAll(callerOf(request), which, reason));
      return { ended: requests.length, requests };
    },
  );
}

function toResponse({ request, name, email }: ActiveAccess): z.output<typeof activeAccessEntry> {
  const { id, identityId, scopes, reason, startedAt, expiresAt, breakGlass } = request;
  return { request: id, identityId, name, email, scopes, reason, startedAt, expiresAt, breakGlass };
}

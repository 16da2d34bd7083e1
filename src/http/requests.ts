import type { Services } from "../service/services.ts";
import { callerOf, type App } from "./door.ts";
import { formatCursor, pageOf, pageQuery } from "./paging.ts";
import { granted } from "./problems.ts";
import { accessRequest, answered, requestWithCredential } from "./representations.ts";
import { askBody, idParams, noQuery, requestListQuery } from "./request-schemas.ts";

const readers = ["requester", "approver", "auditor", "admin"] as const;
const tags = ["access requests"];

/** Asking, and reading what was asked. */
export function addRequestRoutes(app: App, { desk, reading }: Pick<Services, "desk" | "reading">): void {
  app.post(
    "/credentials/jit",
    {
      config: {
        roles: ["requester", "admin"],
        verb: "ask",
        refusals: [
          "not_self",
          "policy_denied",
          "break_glass_not_allowed",
          "break_glass_limit",
          "break_glass_review_due",
          "duplicate_request",
          "invalid_scope",
          "invalid_duration",
          "duration_exceeds_policy",
          "identity_unknown",
          "no_approvers",
          "ticket_required",
          "limit_reached",
        ],
      },
      schema: {
        summary: "Ask for access",
        description: "Approved by itself and asked for oneself: ACTIVE at once, with the credential.",
        tags,
        body: askBody,
        response: { 201: requestWithCredential },
      },
    },
    async (request, reply) => {
      const body = answered(await desk.ask(callerOf(request), request.body));
      return reply.code(201).header("location", `/api/v1/credentials/jit/${body.id}`).send(body);
    },
  );

  app.get(
    "/credentials/jit",
    {
      config: { roles: readers },
      schema: {
        summary: "List access requests, newest first",
        description: "One's own and those one may decide; all of them for an auditor or administrator.",
        tags,
        querystring: requestListQuery,
        response: { 200: pageOf(accessRequest) },
      },
    },
    async (request) => {
      const { limit: _, cursor: __, ...filter } = request.query;
      const page = granted(await reading.list(callerOf(request), filter, pageQuery(request.query)));
      return { data: page.rows, nextCursor: formatCursor(page.next) };
    },
  );

  app.get(
    "/credentials/jit/:id",
    {
      config: { roles: readers },
      schema: {
        summary: "Read an access request",
        tags,
        params: idParams,
        querystring: noQuery,
        response: { 200: accessRequest },
      },
    },
    async (request) => granted(await reading.read(callerOf(request), request.params.id)),
  );
}

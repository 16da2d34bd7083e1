import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { stateTag, type Wait } from "../../service/requests/request-queries.ts";
import type { Services } from "../../service/services.ts";
import type { RequestView } from "../../service/views/request-view.ts";
import { reauthenticate } from "../middleware/authentication.ts";
import { callerOf, type App } from "../middleware/route-access.ts";
import { formatCursor, pageOf, pageQuery } from "../formats/pagination.ts";
import { valueOrThrow } from "../formats/problems.ts";
import { accessRequest, toResponse, requestWithCredential, statusOf } from "../formats/representations.ts";
import { askBody, idParams, readQuery, requestListQuery } from "../formats/request-schemas.ts";

const readers = ["requester", "approver", "auditor", "admin"] as const;
const tags = ["access requests"];

/** Adds the routes that submit, list and read requests. */
export function addRequestRoutes(
  app: App,
  {
    requestCommands,
    apiKeys,
    requestQueries,
  }: Pick<Services, "requestCommands" | "apiKeys" | "requestQueries">,
  stopping: AbortSignal,
): void {
  addAskRoute(app, requestCommands);
  app.get(
    "/credentials/jit",
    {
      config: { roles: readers, refusals: ["identity_unknown"] },
      schema: {
        summary: "List access requests, newest first",
        description:
          "Your own and those you may decide; all of them for an auditor or administrator. A requester whose requests you may not see is refused as unknown.",
        tags,
        querystring: requestListQuery,
        response: { 200: pageOf(accessRequest) },
      },
    },
    async (request) => {
      const { limit: _, cursor: __, ...filter } = request.query;
      const page = valueOrThrow(
        await requestQueries.list(callerOf(request), filter, pageQuery(request.query)),
      );
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
        description: "With `If-None-Match`, `wait` returns at once when the state differs from that ETag.",
        querystring: readQuery,
        response: { 200: accessRequest },
      },
    },
    async (request, reply) => {
      const { wait } = request.query;
      const waitOptions =
        wait === undefined
          ? undefined
          : {
              ...waitOf(request, reply, wait, stopping),
              callerNow: () => reauthenticate({ apiKeys }, request),
            };
      const { id } = request.params;
      const view = valueOrThrow(await requestQueries.read(callerOf(request), id, waitOptions));
      return reply.header("etag", entityTag(view)).send(view);
    },
  );
}

function addAskRoute(app: App, requestCommands: Services["requestCommands"]): void {
  app.post(
    "/credentials/jit",
    {
      config: {
        roles: ["requester", "admin"],
        verb: "ask",
        showsCredential: true,
        freeText: ["reason", "ticket", "metadata"],
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
        description: "An auto-approved request for oneself is ACTIVE at once and returns the credential.",
        tags,
        body: askBody,
        response: {
          201: requestWithCredential,
          202: requestWithCredential.describe("Approved; targets are being prepared: claim it."),
        },
      },
    },
    async (request, reply) => {
      const outcome = await requestCommands.ask(callerOf(request), request.body);
      const body = toResponse(outcome);
      return reply
        .code(statusOf(outcome, 201))
        .header("location", `/api/v1/credentials/jit/${body.id}`)
        .send(body);
    },
  );
}

/** Options of a wait that ends when the request changes, the reader disconnects or the service stops. */
function waitOf(
  request: FastifyRequest,
  reply: FastifyReply,
  ms: number,
  stopping: AbortSignal,
): Omit<Wait, "callerNow"> {
  const disconnected = new AbortController();
  reply.raw.once("close", () => disconnected.abort());
  const known = request.headers["if-none-match"];
  return {
    ms,
    signal: AbortSignal.any([disconnected.signal, stopping]),
    ...(known !== undefined && { isKnown: (view: RequestView) => entityTag(view) === known }),
  };
}

function entityTag(view: RequestView): string {
  return `"${createHash("sha256").update(stateTag(view)).digest("base64url").slice(0, 22)}"`;
}

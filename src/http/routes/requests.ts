import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { stateTag, type Wait } from "../../service/requests/request-queries.ts";
import type { Services } from "../../service/services.ts";
import type { RequestView } from "../../service/views/request-view.ts";
import { callerAgain } from "../middleware/authentication.ts";
import { callerOf, type App } from "../middleware/route-access.ts";
import { formatCursor, pageOf, pageQuery } from "../formats/pagination.ts";
import { valueOrThrow } from "../formats/problems.ts";
import { accessRequest, toResponse, requestWithCredential, statusOf } from "../formats/representations.ts";
import { askBody, idParams, readQuery, requestListQuery } from "../formats/request-schemas.ts";

const readers = ["requester", "approver", "auditor", "admin"] as const;
const tags = ["access requests"];

/** Asking, and reading what was asked. */
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
          "One's own and those one may decide; all of them for an auditor or administrator. A requester of whom there is nothing to see is refused as unknown.",
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
        description:
          "With `If-None-Match`, `wait` answers at once when the state is not the one of that ETag.",
        querystring: readQuery,
        response: { 200: accessRequest },
      },
    },
    async (request, reply) => {
      const { wait } = request.query;
      const waitOptions = wait === undefined ? undefined : waitOf(request, reply, wait, stopping);
      const { id } = request.params;
      const first = valueOrThrow(await requestQueries.read(callerOf(request), id, waitOptions));
      // Whoever waited may see it as it is now, if they still may see it.
      const isLate = waitOptions !== undefined;
      const view = isLate
        ? valueOrThrow(await requestQueries.read(await callerAgain({ apiKeys }, request), id))
        : first;
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
        words: ["reason", "ticket", "metadata"],
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
        response: {
          201: requestWithCredential,
          202: requestWithCredential.describe("Approved; targets are being made ready: claim it."),
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

/** A reader who waits until something changes, they have gone, or we stop. */
function waitOf(request: FastifyRequest, reply: FastifyReply, ms: number, stopping: AbortSignal): Wait {
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  const known = request.headers["if-none-match"];
  return {
    ms,
    signal: AbortSignal.any([gone.signal, stopping]),
    ...(known !== undefined && { isKnown: (view: RequestView) => entityTag(view) === known }),
  };
}

function entityTag(view: RequestView): string {
  return `"${createHash("sha256").update(stateTag(view)).digest("base64url").slice(0, 22)}"`;
}

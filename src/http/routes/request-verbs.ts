import { isRefusal } from "../../core/values/refusals.ts";
import type { Services } from "../../service/services.ts";
import { bearerOf, callerOf, type App } from "../middleware/route-access.ts";
import type { Limits } from "../middleware/rate-limits.ts";
import { accessRequest, toResponse, requestWithCredential, statusOf } from "../formats/representations.ts";
import {
  approveBody,
  cancelBody,
  claimBody,
  completeBody,
  extendBody,
  idParams,
  reasonBody,
  reviewBody,
} from "../formats/request-schemas.ts";

/** Adds the commands on one request: `POST /credentials/jit/{id}/verb`. Each returns the complete request. */
export function addVerbRoutes(
  app: App,
  { requestCommands }: Pick<Services, "requestCommands">,
  limits: Limits,
): void {
  addDecisionRoutes(app, requestCommands);
  addCredentialRoutes(app, requestCommands);
  addCompleteRoute(app, requestCommands, limits);
  addExtendRoute(app, requestCommands);
  addEndingRoutes(app, requestCommands);
}

type Commands = Services["requestCommands"];

const path = "/credentials/jit/:id";
const tags = ["access requests"];
const response = { 200: accessRequest };

function addDecisionRoutes(app: App, requestCommands: Commands): void {
  const notDecidable = [
    "self_approval",
    "not_an_approver",
    "already_decided",
    "approval_window_passed",
  ] as const;
  app.post(
    `${path}/approve`,
    {
      config: {
        roles: ["approver"],
        verb: "approve",
        freeText: ["comment"],
        refusals: [...notDecidable, "already_voted", "stage_not_open", "request_changed", "invalid_duration"],
      },
      schema: { summary: "Approve", tags, params: idParams, body: approveBody, response },
    },
    async (request) =>
      toResponse(await requestCommands.approve(callerOf(request), request.params.id, request.body)),
  );

  app.post(
    `${path}/deny`,
    {
      config: { roles: ["approver"], verb: "deny", freeText: ["reason"], refusals: notDecidable },
      schema: { summary: "Deny", tags, params: idParams, body: reasonBody, response },
    },
    async (request) =>
      toResponse(await requestCommands.deny(callerOf(request), request.params.id, request.body.reason)),
  );

  app.post(
    `${path}/review`,
    {
      config: {
        roles: ["approver"],
        verb: "review",
        freeText: ["comment"],
        refusals: ["not_a_reviewer", "self_approval", "not_active"],
      },
      schema: {
        summary: "Review a use of break-glass",
        description: "`unjustified` ends access that is still active.",
        tags,
        params: idParams,
        body: reviewBody,
        response,
      },
    },
    async (request) =>
      toResponse(await requestCommands.review(callerOf(request), request.params.id, request.body)),
  );
}

function addCredentialRoutes(app: App, requestCommands: Commands): void {
  app.post(
    `${path}/claim`,
    {
      config: {
        roles: ["requester"],
        verb: "claim",
        showsCredential: true,
        refusals: ["not_requester", "already_claimed", "not_claimable", "policy_denied", "limit_reached"],
      },
      schema: {
        summary: "Start the access and get the credential",
        description: "The token is shown in this answer only.",
        tags,
        params: idParams,
        body: claimBody,
        response: {
          200: requestWithCredential,
          202: requestWithCredential.describe("Targets are being prepared: claim it again in a moment."),
        },
      },
    },
    async (request, reply) => {
      const outcome = await requestCommands.claim(callerOf(request), request.params.id, request.body);
      return reply.code(statusOf(outcome, 200)).send(toResponse(outcome));
    },
  );

  app.post(
    `${path}/rotate`,
    {
      config: {
        roles: ["requester"],
        verb: "rotate",
        showsCredential: true,
        refusals: ["not_requester", "not_active"],
      },
      schema: {
        summary: "Replace the token",
        description: "The old one stops working immediately.",
        tags,
        params: idParams,
        body: claimBody,
        response: { 200: requestWithCredential },
      },
    },
    async (request) =>
      toResponse(await requestCommands.rotate(callerOf(request), request.params.id, request.body)),
  );
}

function addCompleteRoute(app: App, requestCommands: Commands, limits: Limits): void {
  app.post(
    `${path}/complete`,
    {
      config: {
        roles: ["requester"],
        acceptsCredential: true,
        verb: "complete",
        freeText: ["note"],
        refusals: ["not_requester", "not_active"],
      },
      schema: {
        summary: "Say that the access is no longer needed",
        description: "With the API key of the requester, or with the credential itself as bearer.",
        tags,
        params: idParams,
        body: completeBody,
        response,
      },
    },
    async (request) => {
      const { id } = request.params;
      const { note } = request.body;
      if (request.caller !== null)
        return toResponse(await requestCommands.complete(request.caller, id, note));
      const outcome = await requestCommands.completeByToken(bearerOf(request) ?? "", id, note);
      if (isRefusal(outcome) && outcome.refused === "unauthenticated") await limits.countAddress(request);
      return toResponse(outcome);
    },
  );
}

function addExtendRoute(app: App, requestCommands: Commands): void {
  app.post(
    `${path}/extend`,
    {
      config: {
        roles: ["requester"],
        verb: "extend",
        freeText: ["reason"],
        refusals: [
          "not_requester",
          "not_active",
          "break_glass_not_allowed",
          "policy_denied",
          "invalid_scope",
          "invalid_duration",
          "duplicate_request",
          "duration_exceeds_policy",
          "no_approvers",
          "ticket_required",
          "limit_reached",
        ],
      },
      schema: {
        summary: "Ask for more time",
        description: "Returns the new request. The token stays the same.",
        tags,
        params: idParams,
        body: extendBody,
        response: { 201: accessRequest },
      },
    },
    async (request, reply) => {
      const child = toResponse(
        await requestCommands.extend(callerOf(request), request.params.id, request.body),
      );
      return reply.code(201).header("location", `/api/v1/credentials/jit/${child.id}`).send(child);
    },
  );
}

function addEndingRoutes(app: App, requestCommands: Commands): void {
  app.post(
    `${path}/cancel`,
    {
      config: {
        roles: ["requester", "admin"],
        verb: "cancel",
        freeText: ["reason"],
        refusals: ["not_requester", "already_claimed", "already_decided"],
      },
      schema: {
        summary: "Withdraw before access has started",
        tags,
        params: idParams,
        body: cancelBody,
        response,
      },
    },
    async (request) =>
      toResponse(await requestCommands.cancel(callerOf(request), request.params.id, request.body.reason)),
  );

  app.post(
    `${path}/revoke`,
    {
      config: {
        roles: ["admin", "approver"],
        verb: "revoke",
        freeText: ["reason"],
        refusals: ["not_an_approver", "not_active"],
      },
      schema: {
        summary: "End somebody's access early",
        description: "For administrators, approvers of the request and reviewers of break-glass.",
        tags,
        params: idParams,
        body: reasonBody,
        response,
      },
    },
    async (request) =>
      toResponse(await requestCommands.revoke(callerOf(request), request.params.id, request.body.reason)),
  );
}

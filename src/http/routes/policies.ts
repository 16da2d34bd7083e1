import { z } from "zod";
import { policyContent, writtenPolicy } from "../../config/schemas/policy.ts";
import type { Policy } from "../../core/policy/policy.ts";
import type { Services } from "../../service/services.ts";
import { callerOf, type App } from "../middleware/route-access.ts";
import { formatCursor, pageOf, paging } from "../formats/pagination.ts";
import { valueOrThrow } from "../formats/problems.ts";
import { textsOf } from "../formats/representations.ts";
import { idParams, noQuery } from "../formats/request-schemas.ts";

/** A condition as it was written. This schema drops nothing, because the input schema has checked it. */
export const conditionResponse = z
  .record(z.string(), z.unknown())
  .meta({ description: "As in the request body." });

const stage = z.object({
  approvers: textsOf,
  required: z.number().optional(),
  sla: z.string().optional(),
  reminders: textsOf.optional(),
  escalateTo: z.array(textsOf).readonly().optional(),
  via: textsOf.optional(),
});

/** The written form of a policy (config/schemas/policy.ts), with the fields we add. */
const policy = z
  .object({
    id: z.string(),
    version: z.number().describe("Increases by one with each change."),
    name: z.string(),
    description: z.string().optional(),
    message: z.string().optional().describe("Shown to people whom this policy denies access."),
    enabled: z.boolean().optional(),
    priority: z.number().optional(),
    autoApprove: z.boolean().optional(),
    deny: z.boolean().optional(),
    approval: z
      .object({
        window: z.string().optional(),
        channels: textsOf.optional(),
        stages: z.array(stage).readonly(),
      })
      .optional(),
    conditions: z.array(conditionResponse).readonly().optional(),
    maxDuration: z.string().optional(),
    claimWindow: z.string().optional(),
    maxUsage: z.number().optional(),
    usagePeriod: z.string().optional(),
    requireTicket: z.boolean().optional(),
    managedBy: z.enum(["file", "api"]),
    warnings: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .readonly()
      .optional()
      .describe("Valid but probably mistakes, such as an unknown name. Not in lists."),
  })
  .meta({ id: "Policy" });

const tags = ["policies"];
const reading = ["admin", "auditor"] as const;
const writing = ["admin"] as const;

export function addPolicyRoutes(app: App, { policies }: Pick<Services, "policies">): void {
  addPolicyReads(app, policies);
  addPolicyWrites(app, policies);
}

function addPolicyReads(app: App, policies: Services["policies"]): void {
  app.get(
    "/policies",
    {
      config: { roles: reading },
      schema: {
        summary: "List policies",
        tags,
        querystring: z.strictObject(paging),
        response: { 200: pageOf(policy) },
      },
    },
    async (request) => {
      const { limit, cursor = 0 } = request.query;
      const all = valueOrThrow(await policies.list(callerOf(request)));
      const end = cursor + limit;
      return {
        data: all.slice(cursor, end).map(writtenPolicy),
        nextCursor: formatCursor(end < all.length ? end : null),
      };
    },
  );

  app.get(
    "/policies/:id",
    {
      config: { roles: reading },
      schema: {
        summary: "Read a policy",
        tags,
        params: idParams,
        querystring: noQuery,
        response: { 200: policy },
      },
    },
    async (request) =>
      toResponse(valueOrThrow(await policies.read(callerOf(request), request.params.id)), policies),
  );
}

/** A policy with the warnings for its author, if there are any. */
async function toResponse(value: Policy, policies: Services["policies"]): Promise<z.input<typeof policy>> {
  const warnings = await policies.warnings(value);
  return {
    ...writtenPolicy(value),
    ...(warnings.length > 0 && {
      warnings: warnings.map(({ path, message }) => ({ path: path.join("."), message })),
    }),
  };
}

function addPolicyWrites(app: App, policies: Services["policies"]): void {
  app.post(
    "/policies",
    {
      config: { roles: writing, refusals: ["name_taken"] },
      schema: { summary: "Create a policy", tags, body: policyContent, response: { 201: policy } },
    },
    async (request, reply) => {
      const body = await toResponse(
        valueOrThrow(await policies.create(callerOf(request), request.body)),
        policies,
      );
      return reply.code(201).header("location", `/api/v1/policies/${body.id}`).send(body);
    },
  );

  app.put(
    "/policies/:id",
    {
      config: { roles: writing, refusals: ["name_taken", "managed_by_file"] },
      schema: {
        summary: "Replace a policy",
        description: "Creates a new version. Open requests keep the version they were submitted under.",
        tags,
        params: idParams,
        body: policyContent,
        response: { 200: policy },
      },
    },
    async (request) =>
      toResponse(
        valueOrThrow(await policies.replace(callerOf(request), request.params.id, request.body)),
        policies,
      ),
  );

  app.delete(
    "/policies/:id",
    {
      config: { roles: writing, refusals: ["managed_by_file"] },
      schema: {
        summary: "Delete a policy",
        description: "Returns the policy as it was.",
        tags,
        params: idParams,
        response: { 200: policy },
      },
    },
    async (request) =>
      writtenPolicy(valueOrThrow(await policies.remove(callerOf(request), request.params.id))),
  );
}

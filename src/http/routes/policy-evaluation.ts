import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { Explanation } from "../../core/policy/governing-policy.ts";
import type { ConditionVerdict } from "../../core/policy/evaluate-conditions.ts";
import { patternSizeOf } from "../../core/policy/pattern-size.ts";
import type { Work } from "../../core/values/sliced-work.ts";
import { writtenCondition } from "../../config/schemas/condition.ts";
import { policyContent } from "../../config/schemas/policy.ts";
import type { Evaluation } from "../../service/requests/evaluation-service.ts";
import type { Services } from "../../service/services.ts";
import { callerOf, type App } from "../middleware/route-access.ts";
import { conditionResponse } from "./policies.ts";
import { valueOrThrow } from "../formats/problems.ts";
import { riskOfRequest } from "../formats/representations.ts";
import { askBody } from "../formats/request-schemas.ts";

const draftsMax = 200;
const truth = z.enum(["true", "false", "unknown"]);

const verdict = z
  .object({
    condition: conditionResponse,
    truth,
    actual: z.union([z.string(), z.number()]).nullable().describe("What was found."),
    get inside() {
      return z.array(verdict).readonly();
    },
  })
  .meta({ id: "ConditionVerdict", description: "How a condition came out, and what is nested in it." });

const policyNamed = z.object({ id: z.string(), name: z.string(), version: z.number() });

const scopeExplained = z.object({
  scope: z.string(),
  outcome: z.enum(["policy", "denied", "spent"]),
  policy: policyNamed.nullable().describe("The one that governs, denies or is spent."),
  reason: z.string(),
  policies: z
    .array(policyNamed.extend({ standing: z.string(), truth, conditions: z.array(verdict).readonly() }))
    .readonly()
    .describe("Every enabled policy in order of precedence, and why."),
});

const evaluation = z
  .object({
    outcome: z.enum(["AUTO_APPROVED", "NEEDS_APPROVAL", "BREAK_GLASS", "REFUSED"]),
    refusal: z.object({ code: z.string(), detail: z.string() }).nullable(),
    risk: riskOfRequest.nullable(),
    scopes: z.array(scopeExplained).readonly(),
    stages: z
      .array(
        z.object({
          stage: z.number(),
          policyId: z.string(),
          required: z.number(),
          approvers: z
            .array(z.object({ identityId: z.string(), name: z.string(), email: z.string().nullable() }))
            .readonly(),
        }),
      )
      .readonly(),
    approvalWindow: z.string().nullable(),
    claimWindow: z.string().nullable(),
  })
  .meta({ id: "Evaluation" });

/** Adds the dry run of a request. */
export function addEvaluationRoute(
  app: App,
  { evaluation: service, slices }: Pick<Services, "evaluation" | "slices">,
): void {
  app.post(
    "/policies/evaluate",
    {
      config: {
        roles: ["admin", "auditor", "requester"],
        freeText: ["request.reason", "request.ticket", "request.metadata"],
        refusals: ["not_self", "invalid_scope", "invalid_duration", "identity_unknown", "too_costly"],
      },
      preValidation: async (request) => {
        const drafts = draftsIn(request.body);
        if (drafts !== undefined) valueOrThrow(service.mayDraft(callerOf(request), patternSizesIn(drafts)));
      },
      schema: {
        summary: "What would happen to this request now, and why",
        description:
          "Stores nothing. With `policies` (admin and auditor), evaluates those instead of the ones in force. `BREAK_GLASS`: only denying policies apply. 422 `too_costly`: policies, scopes and patterns are too many together. 429 `rate_limited`: this key has two of these running.",
        tags: ["policies"],
        body: z.strictObject({
          request: askBody,
          policies: z.exactOptional(z.array(policyContent).max(draftsMax)),
        }),
        response: { 200: evaluation },
      },
    },
    async (request, reply) => {
      const { request: ask, policies } = request.body;
      const found = valueOrThrow(await service.evaluate(callerOf(request), ask, policies));
      return sendJson(reply, await slices.run(writeEvaluation(found)));
    },
  );
}

/** The draft policies as sent, before validation compiles their patterns. */
function draftsIn(body: unknown): unknown {
  return typeof body === "object" && body !== null && "policies" in body ? body.policies : undefined;
}

/** The total size of all patterns in a value. The recursion is safe, because bodies have limited depth. */
function patternSizesIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const own = "operator" in value && value.operator === "MATCHES" && "value" in value ? value.value : null;
  const size = typeof own === "string" ? patternSizeOf(own) : 0;
  return Object.values(value).reduce<number>((sum, inner) => sum + patternSizesIn(inner), size);
}

/** Sends bytes, so that the response is not validated again, which would take longer than the evaluation. */
function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.type("application/json; charset=utf-8").send(Buffer.from(text));
}

/** Writes the response in slices, because it is long for many policies and scopes. */
function* writeEvaluation({ refusal, scopes, ...rest }: Evaluation): Work<string> {
  const head: Omit<z.output<typeof evaluation>, "scopes"> = {
    ...rest,
    refusal: refusal === null ? null : { code: refusal.refused, detail: refusal.detail },
  };
  const explained: string[] = [];
  for (const explanation of scopes) explained.push(yield* writeExplanation(explanation));
  return withField(head, "scopes", explained);
}

type ScopeExplained = z.output<typeof scopeExplained>;

function* writeExplanation({ scope, selection, reason, policies }: Explanation): Work<string> {
  const head: Omit<ScopeExplained, "policies"> = {
    scope,
    outcome: selection.kind,
    policy: selection.policy === undefined ? null : policyName(selection.policy),
    reason,
  };
  const written: string[] = [];
  for (const { policy, verdict: found, outcome } of policies) {
    const entry: ScopeExplained["policies"][number] = {
      ...policyName(policy),
      standing: outcome,
      truth: found.truth,
      conditions: found.conditions.map(toVerdictResponse),
    };
    const text = JSON.stringify(entry);
    written.push(text);
    yield text.length / bytesPerMicrosecond;
  }
  return withField(head, "policies", written);
}

const bytesPerMicrosecond = 50;

/** The JSON of `head` with one more field, a list whose entries are JSON already. */
function withField(head: object, field: string, entries: readonly string[]): string {
  return `${JSON.stringify(head).slice(0, -1)},"${field}":[${entries.join(",")}]}`;
}

function toVerdictResponse({
  condition,
  truth: found,
  actual,
  inside,
}: ConditionVerdict): z.output<typeof verdict> {
  return {
    condition: writtenCondition(condition),
    truth: found,
    actual,
    inside: inside.map(toVerdictResponse),
  };
}

function policyName({ id, name, version }: z.output<typeof policyNamed>): z.output<typeof policyNamed> {
  return { id, name, version };
}

import { z } from "zod";
import type { Choice, Explanation } from "../core/governing.ts";
import type { ConditionVerdict } from "../core/judging.ts";
import { writtenCondition } from "../schemas/condition.ts";
import { policyContent } from "../schemas/policy.ts";
import type { Evaluation } from "../service/evaluation-service.ts";
import type { Services } from "../service/services.ts";
import { callerOf, type App } from "./door.ts";
import { conditionShown } from "./policies.ts";
import { granted } from "./problems.ts";
import { riskOfRequest } from "./representations.ts";
import { askBody } from "./request-schemas.ts";

const draftsMax = 200;
const truth = z.enum(["true", "false", "unknown"]);

const verdict = z
  .object({
    condition: conditionShown,
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

/** The dry run. */
export function addEvaluationRoute(app: App, { evaluation: service }: Pick<Services, "evaluation">): void {
  app.post(
    "/policies/evaluate",
    {
      config: {
        roles: ["admin", "auditor", "requester"],
        refusals: ["not_self", "invalid_scope", "invalid_duration", "identity_unknown"],
      },
      schema: {
        summary: "What would happen if this were asked now, and why",
        description:
          "Stores nothing. With `policies`, judges by those instead of the ones in force. `BREAK_GLASS`: no policy is asked, except one that denies.",
        tags: ["policies"],
        body: z.strictObject({
          request: askBody,
          policies: z.exactOptional(z.array(policyContent).max(draftsMax)),
        }),
        response: { 200: evaluation },
      },
    },
    async (request) => {
      const { request: ask, policies } = request.body;
      return shown(granted(await service.evaluate(callerOf(request), ask, policies)));
    },
  );
}

function shown({ refusal, scopes, ...rest }: Evaluation): z.output<typeof evaluation> {
  return {
    ...rest,
    refusal: refusal === null ? null : { code: refusal.refused, detail: refusal.detail },
    scopes: scopes.map(shownScope),
  };
}

function shownScope({ scope, choice, reason, policies }: Explanation): z.output<typeof scopeExplained> {
  return {
    scope,
    outcome: choice.kind,
    policy: policyOf(choice),
    reason,
    policies: policies.map(({ policy, verdict: found, standing }) => ({
      ...named(policy),
      standing,
      truth: found.truth,
      conditions: found.conditions.map(shownVerdict),
    })),
  };
}

function shownVerdict({
  condition,
  truth: came,
  actual,
  inside,
}: ConditionVerdict): z.output<typeof verdict> {
  return { condition: writtenCondition(condition), truth: came, actual, inside: inside.map(shownVerdict) };
}

function policyOf(choice: Choice): z.output<typeof policyNamed> | null {
  return choice.policy === undefined ? null : named(choice.policy);
}

function named({ id, name, version }: z.output<typeof policyNamed>): z.output<typeof policyNamed> {
  return { id, name, version };
}

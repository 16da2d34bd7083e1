import { z } from "zod";
import { notifyChannels } from "../../core/access/access-request.ts";
import { isRefusal, type Refusal } from "../../core/values/refusals.ts";
import { statuses } from "../../core/access/status.ts";
import { targetStates } from "../../core/access/target.ts";
import type { CommandResult } from "../../service/request-commands.ts";
import { valueOrThrow } from "./problems.ts";

/** RFC 3339 in UTC with milliseconds. */
export const at = z.string().meta({ format: "date-time", examples: ["2024-01-15T10:30:00.000Z"] });
const durationText = z.string().meta({ examples: ["4h", "1h30m"] });
export const textsOf = z.array(z.string()).readonly();

const approver = z.object({
  identityId: z.string(),
  name: z.string(),
  email: z.string().nullable(),
  stage: z.number(),
  status: z
    .enum(["PENDING", "APPROVED", "DENIED", "ESCALATED", "NOT_NEEDED"])
    .describe("ESCALATED: asked because an SLA passed, still pending."),
  at: at.optional(),
  comment: z.string().optional(),
  as: textsOf.optional().describe("For somebody who decided: the selectors that included them then."),
  keyMintedBy: z.string().optional().describe("Who made the API key the decision came with."),
});

const grant = z.object({
  id: z.string(),
  startedAt: at
    .nullable()
    .describe("Null, like expiresAt and credential, while its targets are being prepared."),
  expiresAt: at.nullable(),
  endedAt: at.nullable(),
  credential: z.object({ id: z.string(), last4: z.string() }).nullable(),
  targets: z
    .array(
      z.object({
        connector: z.string(),
        object: z.string().describe("Its name there."),
        state: z.enum(targetStates),
        scopes: textsOf,
        since: at.describe("When its desired state was last decided."),
        notAfter: at.describe("The latest end it may have there."),
        clearedAt: at.nullable().describe("When the target confirmed that nothing is left."),
        drift: textsOf.describe("What was changed there by hand."),
        problem: z
          .string()
          .nullable()
          .describe("Why the last attempt at it failed; null once one has succeeded."),
      }),
    )
    .readonly(),
});

const review = z.object({
  dueAt: at.nullable(),
  isOverdue: z.boolean(),
  reviews: z
    .array(
      z.object({
        by: z.string(),
        name: z.string().describe("The name the reviewer had then."),
        at,
        outcome: z.enum(["justified", "unjustified"]),
        comment: z.string(),
        keyMintedBy: z.string().optional(),
      }),
    )
    .readonly(),
});

export const riskOfRequest = z.object({
  score: z.number(),
  factors: z.array(z.object({ name: z.string(), points: z.number() })).readonly(),
});

/** The complete request, as every verb returns it. It has no field that could hold a secret. */
export const accessRequest = z
  .object({
    id: z.string(),
    status: z.enum(statuses),
    identityId: z.string(),
    requestedBy: z.string(),
    requestedAt: at,
    expiresAt: at.nullable().describe("Null until claimed: the clock starts at the claim."),
    reason: z.string(),
    scopes: textsOf,
    duration: durationText.describe("As asked."),
    grantedDuration: durationText.nullable(),
    ticket: z.string().nullable(),
    metadata: z.record(z.string(), z.string()),
    notifyChannels: z.array(z.enum(notifyChannels)).readonly(),
    notifications: z.array(z.object({ channel: z.enum(notifyChannels), state: z.string() })).readonly(),
    breakGlass: z.boolean(),
    extends: z.string().nullable().describe("The request whose access this one prolongs."),
    approvalDeadline: at.nullable(),
    claimDeadline: at.nullable(),
    decidedAt: at.nullable(),
    startedAt: at.nullable(),
    endedAt: at.nullable(),
    endReason: z.string().nullable(),
    policies: z
      .array(z.object({ id: z.string(), name: z.string(), version: z.number(), scopes: textsOf }))
      .readonly(),
    risk: riskOfRequest.nullable().describe("Null without risk rules."),
    approvals: z.array(z.object({ stage: z.number(), required: z.number(), given: z.number() })).readonly(),
    approvers: z.array(approver).readonly(),
    stranded: z
      .object({ since: at, stage: z.number() })
      .nullable()
      .describe("While it waits for more approvers than there are. The same access may then be asked again."),
    revision: z.string().describe("Hash of the terms decided on."),
    grant: grant.nullable(),
    review: review.nullable().describe("Of break-glass access."),
  })
  .meta({ id: "AccessRequest" });

const credential = z.object({
  id: z.string(),
  token: z.string().describe("Shown in this one answer only."),
  expiresAt: at,
  targets: z
    .array(
      z.object({
        connector: z.string(),
        kind: z.string(),
        where: z.string(),
        username: z.string(),
        secret: z.string().nullable().describe("Shown in this one answer only; null where there is none."),
        expiresAt: at,
        command: z.string().nullable().describe("Ready to be run."),
        problem: z.string().optional().describe("Why there is no new secret, and what to do."),
      }),
    )
    .readonly(),
});

/** The only response that carries a secret, for its owner. */
export const requestWithCredential = accessRequest.extend({ credential: credential.optional() });

/** The success status: 202 while targets are still being prepared and the caller has to claim again. */
export function statusOf<Status extends number>(
  result: CommandResult | Refusal,
  success: Status,
): Status | 202 {
  return !isRefusal(result) && result.isPreparing === true ? 202 : success;
}

/** The result of a command as a response. The route's schema drops the credential where none may be shown. */
export function toResponse(result: CommandResult | Refusal): z.output<typeof requestWithCredential> {
  const { request, credential: secret } = valueOrThrow(result);
  return { ...request, ...(secret !== undefined && { credential: secret }) };
}

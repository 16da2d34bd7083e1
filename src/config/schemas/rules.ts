import { z } from "zod";
import {
  emptyRules,
  type BreakGlassRule,
  type CatalogEntry,
  type RiskRule,
  type Rules,
} from "../../core/policy/policy.ts";
import { formatDuration } from "../../core/values/time.ts";
import { conditions, walk } from "./condition.ts";
import {
  channels,
  description,
  duration,
  name,
  scopes,
  selectors,
  selectorsWithoutManager,
} from "./values.ts";

const pointsMax = 100;
const openPerIdentityMax = 10_000;
const breakGlassUsesMax = 1_000;

/** Adds points to a request when all of `when` holds for any of its scopes. */
export const riskRule = z
  .strictObject({
    name,
    points: z.int().min(-pointsMax).max(pointsMax),
    when: conditions.min(1).describe("All required."),
  })
  .superRefine((rule, context) => {
    for (const { condition, path } of walk(rule.when, ["when"])) {
      if (!("type" in condition) || condition.type !== "RISK_SCORE") continue;
      context.addIssue({
        code: "custom",
        path: [...path, "type"],
        message: "cannot be RISK_SCORE: the score is the sum of these rules",
      });
    }
  })
  .transform((rule): RiskRule => rule);

/** Scopes that people can choose by name. An entry grants no right. */
export const catalogEntry = z
  .strictObject({ name, scopes, description: z.exactOptional(description) })
  .transform((entry): CatalogEntry => entry);

const openMax = z.int().min(1).max(openPerIdentityMax);

export const limits = z
  .strictObject({
    pendingPerIdentity: openMax.default(emptyRules.limits.pendingPerIdentity),
    activePerIdentity: openMax.default(emptyRules.limits.activePerIdentity),
  })
  .transform((given): Rules["limits"] => given);

/** Who is administrator or auditor in chat. */
export const chatRoles = z
  .strictObject({
    admin: selectorsWithoutManager.default([]),
    auditor: selectorsWithoutManager.default([]),
  })
  .transform((given): Rules["chatRoles"] => given);

const none = emptyRules.breakGlass;
const limit = z.strictObject({
  max: z.int().min(1).max(breakGlassUsesMax).default(none.limit.max),
  per: duration.prefault(formatDuration(none.limit.perMs)),
});
const review = z.strictObject({
  by: selectors.prefault(["group:security"]).describe("Absent: group:security."),
  due: duration.prefault(formatDuration(none.review.dueMs)).describe("From the start of access."),
  overdue: z
    .enum(["refuse", "allow"])
    .default(none.review.overdue)
    .describe("Whether an overdue or unjustified use refuses the next one."),
  lockout: duration
    .prefault(formatDuration(none.review.lockoutMs))
    .describe("The longest time that such a refusal lasts."),
});

/** Emergency access, with the defaults of docs/policies.md#break-glass. */
export const breakGlass = z
  .strictObject({
    allowed: selectorsWithoutManager.default([]).describe("Humans, asking for themselves; empty: nobody."),
    conditions: conditions.default([]).describe("Restricts what may be accessed."),
    maxDuration: duration.prefault(formatDuration(none.maxDurationMs)),
    limit: limit.prefault({}),
    review: review.prefault({}),
    notify: channels.default([]).describe("Notified before the secret is shown."),
  })
  .transform((given): BreakGlassRule => ({
    allowed: given.allowed,
    conditions: given.conditions,
    maxDurationMs: given.maxDuration,
    limit: { max: given.limit.max, perMs: given.limit.per },
    review: {
      by: given.review.by,
      dueMs: given.review.due,
      overdue: given.review.overdue,
      lockoutMs: given.review.lockout,
    },
    notify: given.notify,
  }));

export const slack = z.strictObject({
  trustUserGroups: z
    .boolean()
    .default(emptyRules.trustSlackUserGroups)
    .describe("slack-usergroup: selectors count only when true."),
});

import { z } from "zod";
import { Failure } from "../io/failure.ts";

/**
 * The parts of the service's responses that the CLI shows. Unknown fields are accepted, because a newer service may send
 * more.
 */
const time = z.string().nullable();
const texts = z.array(z.string());

export const problem = z.object({
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

const risk = z.object({
  score: z.number(),
  factors: z.array(z.object({ name: z.string(), points: z.number() })),
});
export type Risk = z.output<typeof risk>;

const credentialTarget = z.object({
  connector: z.string(),
  kind: z.string(),
  where: z.string(),
  username: z.string(),
  secret: z.string().nullable(),
  expiresAt: z.string(),
  command: z.string().nullable(),
  problem: z.string().optional(),
});
export type CredentialTarget = z.output<typeof credentialTarget>;

export const accessRequest = z.object({
  id: z.string(),
  status: z.string(),
  identityId: z.string(),
  requestedBy: z.string(),
  requestedAt: z.string(),
  expiresAt: time,
  reason: z.string(),
  scopes: texts,
  duration: z.string(),
  grantedDuration: z.string().nullable(),
  ticket: z.string().nullable(),
  metadata: z.record(z.string(), z.string()).default({}),
  breakGlass: z.boolean(),
  extends: z.string().nullable(),
  approvalDeadline: time,
  claimDeadline: time,
  endedAt: time,
  endReason: z.string().nullable(),
  policies: z.array(z.object({ name: z.string(), version: z.number(), scopes: texts })),
  risk: risk.nullable(),
  approvals: z.array(z.object({ stage: z.number(), required: z.number(), given: z.number() })),
  approvers: z.array(
    z.object({
      name: z.string(),
      stage: z.number(),
      status: z.string(),
      comment: z.string().optional(),
    }),
  ),
  stranded: z.object({ since: z.string(), stage: z.number() }).nullable().default(null),
  revision: z.string(),
  grant: z
    .object({
      credential: z.object({ last4: z.string() }).nullable(),
      targets: z.array(
        z.object({
          connector: z.string(),
          object: z.string(),
          state: z.string(),
          drift: texts.default([]),
          problem: z.string().nullable().default(null),
        }),
      ),
    })
    .nullable(),
  review: z
    .object({
      dueAt: time,
      isOverdue: z.boolean(),
      reviews: z.array(
        z.object({ by: z.string(), name: z.string().optional(), outcome: z.string(), comment: z.string() }),
      ),
    })
    .nullable(),
  credential: z
    .object({
      token: z.string().optional(),
      tokenShown: z.boolean().optional(),
      targets: z.array(credentialTarget).default([]),
    })
    .optional(),
});
export type AccessRequest = z.output<typeof accessRequest>;

/** A page of any list. The cursor of the audit log is a number. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ data: z.array(item), nextCursor: z.union([z.string(), z.number()]).nullable().optional() });

export const activeAccessEntry = z.object({
  request: z.string(),
  name: z.string(),
  scopes: texts,
  reason: z.string(),
  expiresAt: time,
  breakGlass: z.boolean(),
});

export const offer = z.object({
  name: z.string(),
  description: z.string().nullable(),
  scopes: texts,
  outcome: z.string(),
});

export const apiKey = z.object({
  id: z.string(),
  identityId: z.string(),
  roles: texts,
  name: z.string().nullable(),
  last4: z.string(),
  mintedBy: z.string(),
  createdAt: z.string(),
  expiresAt: time,
});

export type ApiKeyResponse = z.output<typeof apiKey>;

/** `token` is missing after a retry, because the token was in the response that got lost. */
export const newApiKey = apiKey.extend({ token: z.string().optional() });

export const identity = z.object({
  id: z.string(),
  kind: z.string(),
  name: z.string(),
  email: z.string().nullable(),
  groups: texts,
  active: z.boolean(),
});
export type IdentityResponse = z.output<typeof identity>;

/** An identity as administrators and auditors see it. */
export const knownIdentity = identity.extend({
  managerId: z.string().nullable(),
  links: z.object({
    slack: z.object({ teamId: z.string(), userId: z.string() }).optional(),
    teams: z.object({ tenantId: z.string(), aadObjectId: z.string() }).optional(),
  }),
  managedBy: z.string(),
});
export type KnownIdentity = z.output<typeof knownIdentity>;

export const auditRecord = z.object({
  seq: z.number(),
  at: z.string(),
  action: z.string(),
  actor: z.object({ name: z.string(), via: z.string() }),
  request: z.string().optional(),
  identity: z.string().optional(),
  data: z.record(z.string(), z.unknown()).optional(),
});
export type AuditRecord = z.output<typeof auditRecord>;

export const auditVerdict = z.object({
  ok: z.boolean(),
  events: z.number(),
  head: z.string(),
  tail: z.string().optional(),
  firstBad: z.object({ seq: z.number(), kind: z.string() }).optional(),
  missing: z.array(z.object({ kind: z.string(), id: z.string() })).optional(),
});

export const connectorList = z.object({
  data: z.array(
    z.object({
      name: z.string(),
      kind: z.string(),
      place: z.string().nullable(),
      problem: z.string().nullish(),
      targets: z.number(),
      overdue: z.number(),
    }),
  ),
});

export const confirmedAddress = z.object({ connector: z.string(), place: z.string() });

export const abandonedObject = z.object({ connector: z.string(), object: z.string() });

export const connectorsChecked = z.object({
  ok: z.boolean(),
  data: z.array(
    z.object({
      name: z.string(),
      kind: z.string(),
      result: z.enum(["in_order", "problem", "not_verified"]),
      findings: z.array(
        z.object({
          what: z.string(),
          result: z.enum(["in_order", "problem", "not_verified"]),
          fix: z.string().optional(),
        }),
      ),
    }),
  ),
});

/** The fields that identify a policy. The others are kept for --json. */
export const policyResponse = z.looseObject({
  id: z.string(),
  version: z.number(),
  name: z.string(),
  managedBy: z.string(),
  priority: z.number().optional(),
  enabled: z.boolean().optional(),
  autoApprove: z.boolean().optional(),
  deny: z.boolean().optional(),
});
export type PolicyResponse = z.output<typeof policyResponse>;

export const ended = z.object({ ended: z.number(), requests: texts });
export const lockdown = z.object({
  on: z.boolean(),
  changedAt: z.string().nullish(),
  changedBy: z.string().nullish(),
  reason: z.string().nullish(),
});

const conditionVerdict = z.object({
  condition: z.record(z.string(), z.unknown()),
  truth: z.string(),
  actual: z.union([z.string(), z.number()]).nullable(),
  get inside() {
    return z.array(conditionVerdict);
  },
});
export type ConditionVerdict = z.output<typeof conditionVerdict>;

const policyNamed = z.object({ id: z.string(), name: z.string() });

const scopeExplained = z.object({
  scope: z.string(),
  policy: policyNamed.nullable(),
  reason: z.string(),
  policies: z.array(
    policyNamed.extend({ standing: z.string(), truth: z.string(), conditions: z.array(conditionVerdict) }),
  ),
});
export type ScopeExplained = z.output<typeof scopeExplained>;

export const evaluation = z.object({
  outcome: z.string(),
  refusal: z.object({ code: z.string(), detail: z.string() }).nullable(),
  risk: risk.nullable(),
  scopes: z.array(scopeExplained),
  stages: z.array(
    z.object({ stage: z.number(), required: z.number(), approvers: z.array(z.object({ name: z.string() })) }),
  ),
  approvalWindow: z.string().nullable(),
  claimWindow: z.string().nullable(),
});
export type Evaluation = z.output<typeof evaluation>;

/** Parses a response. @throws Failure when it has another form, because then it is not from our service */
export function readAs<T>(schema: z.ZodType<T>, response: { readonly json: unknown }): T {
  const read = schema.safeParse(response.json);
  if (read.success) return read.data;
  throw new Failure(
    "unreachable",
    "bad_answer",
    "This is not a jit-access answer, or it is from another version; check JIT_URL.",
  );
}

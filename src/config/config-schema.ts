import { z } from "zod";
import { auditActions } from "../core/audit/audit-record.ts";
import { isEventPattern } from "../core/audit/webhook-subscription.ts";
import { connector } from "./schemas/connector.ts";
import { environmentName, secret } from "./schemas/env-reference.ts";
import { identityContent } from "./schemas/identity.ts";
import { parsedText } from "./schemas/parsed-text.ts";
import { defaultPolicyContent, policyContent } from "./schemas/policy.ts";
import { breakGlass, catalogEntry, chatRoles, limits, riskRule, slack } from "./schemas/rules.ts";
import { name } from "./schemas/values.ts";
import { isWebhookUrl, webhookUrlRule } from "./resolve-webhooks.ts";

const identitiesMax = 50_000;
const policiesMax = 10_000;
const riskRulesMax = 200;
const catalogEntriesMax = 5_000;
const connectionsMax = 200;

const webAddress = parsedText(
  (text) => (isWebhookUrl(text) || environmentName(text) !== undefined ? text : undefined),
  `${webhookUrlRule}, or be env:NAME`,
  { description: "https://… or env:NAME.", examples: ["https://siem.company.com/jit"] },
);

const eventPattern = parsedText(
  (text) => (isEventPattern(text) ? text : undefined),
  "must be an action of the audit log such as grant.started, or all of a kind such as grant.*",
  { description: "An action of the audit log, or grant.* for all of a kind.", examples: ["grant.*"] },
);

const webhook = z.strictObject({
  name,
  url: webAddress,
  events: z.array(eventPattern).min(1).max(auditActions.length),
  secret: secret.describe("env:NAME of a Standard Webhooks secret: whsec_ and base64 of 24 to 64 bytes."),
  allowPrivate: z
    .boolean()
    .default(false)
    .describe("Whether private and loopback addresses may be called; link-local ones never are."),
});

/** The schema of the configuration file. Omitted sections are empty. See docs/configuration.md. */
export const configSchema = z.strictObject({
  identities: z
    .array(identityContent)
    .max(identitiesMax)
    .default([])
    .describe("People and programs. Those removed from this list are deactivated."),
  roles: chatRoles.prefault({}).describe("Who is administrator or auditor in chat."),
  policies: z.array(policyContent).max(policiesMax).default([]).describe("Which requests are approved how."),
  default: z
    .exactOptional(defaultPolicyContent)
    .describe("Governs requests that no policy governs. Absent: they are denied."),
  risk: z
    .array(riskRule)
    .max(riskRulesMax)
    .default([])
    .describe("Points, 0 to 100 in sum; without rules a risk score is unknown."),
  catalog: z.array(catalogEntry).max(catalogEntriesMax).default([]).describe("What people can choose from."),
  limits: limits.prefault({}).describe("Open requests and active grants of one identity; absent: 20 each."),
  breakGlass: z.exactOptional(breakGlass).describe("Emergency access; absent: nobody."),
  slack: slack.prefault({}),
  webhooks: z.array(webhook).max(connectionsMax).default([]).describe("Programs notified of audit events."),
  connectors: z
    .array(connector)
    .max(connectionsMax)
    .default([])
    .describe(
      "The systems where access is provisioned. For a scope without a connector there is a token only.",
    ),
});

export type ConfigFile = z.output<typeof configSchema>;

import { z } from "zod";
import { parseId } from "../../core/values/ids.ts";
import {
  formatSelector,
  groupNameLengthMax,
  isGroupName,
  parseEmail,
  parseSelector,
} from "../../core/values/identity.ts";
import { parseScope, scopesPerRequestMax } from "../../core/values/scopes.ts";
import { parseDuration, parseInstant } from "../../core/values/time.ts";
import { parsedText } from "./parsed-text.ts";

const nameLengthMax = 100;
const descriptionLengthMax = 1_000;
const policyMessageLengthMax = 500;
const selectorsPerListMax = 50;
const channelsPerListMax = 20;

/** Milliseconds, 1 s to 30 d. */
export const duration = parsedText(
  parseDuration,
  "must be a duration from 1s to 30d such as 90s, 30m, 4h, 1h30m, 2d or PT4H",
  {
    id: "Duration",
    description: "1 second to 30 days: 90s, 30m, 4h, 1h30m, 2d, or ISO 8601 such as PT4H.",
    examples: ["30m", "4h", "1h30m", "2d", "PT4H"],
    pattern: String.raw`^(?=.*\d)(P?(\d+[Dd])?T?(\d+[Hh])?(\d+[Mm])?(\d+[Ss])?)$`,
  },
);

export const scope = parsedText(
  parseScope,
  "must be action:resource: a lower-case action of at most 32 characters, a resource of at most 128 of A-Z a-z 0-9 . _ : / @ -",
  {
    id: "Scope",
    description: "action:resource, compared exactly; the resource may contain colons.",
    examples: ["read:prod:orders-db"],
    pattern: "^[a-z][a-z0-9_.-]{0,31}:[A-Za-z0-9._:/@-]{1,128}$",
  },
);

/** 1 to 20 different scopes. */
export const scopes = listOf(scope, { min: 1, max: scopesPerRequestMax }, (text) => text);

/** In lower case. */
export const email = parsedText(parseEmail, "must be an e-mail address such as dev@company.com", {
  id: "Email",
  description: "An e-mail address; upper and lower case mean the same.",
  examples: ["dev@company.com"],
});

export const identityId = parsedText(
  (text) => parseId("identity", text),
  "must be an identity's id: id_ and 1 to 64 of A-Z a-z 0-9 _ -",
  {
    id: "IdentityId",
    description: "id_ and 1 to 64 letters, digits, _ or -.",
    examples: ["id_abc123"],
    pattern: "^id_[A-Za-z0-9_-]{1,64}$",
  },
);

export const groupName = parsedText(
  (text) => (isGroupName(text) ? text : undefined),
  `must be a group's name: 1 to ${groupNameLengthMax} characters on one line, without control characters or spaces at its ends`,
  {
    id: "GroupName",
    description: `A group consists of the identities that list it. Its name is 1 to ${groupNameLengthMax} characters without control characters or spaces at its ends, compared exactly.`,
    examples: ["engineering", "Team DBA (EU)"],
  },
);

const selectorForms = "a@b.c, group:name, identity:id_…, manager or slack-usergroup:S…";

export const selector = parsedText(parseSelector, `must be one of ${selectorForms}`, {
  id: "Selector",
  description: `People, by address, group or relation: ${selectorForms}.`,
  examples: [
    "security@company.com",
    "group:dba",
    "group:Team DBA (EU)",
    "identity:id_lead",
    "manager",
    "slack-usergroup:S0123",
  ],
});

export const selectors = listOf(selector, { min: 1, max: selectorsPerListMax }, formatSelector);

/** For rules without a requester, where `manager` would select nobody. */
export const selectorsWithoutManager = listOf(
  selector.refine(({ kind }) => kind !== "manager", "cannot be manager: here it would be nobody's"),
  { min: 0, max: selectorsPerListMax },
  formatSelector,
);

/** Teams has used three forms of channel ids over the years, and all of them are in use. */
const channelForms = "slack:C…, teams:19:…@thread.tacv2 (or @thread.skype, @thread.v2) or email:a@b.c";

/** A channel where messages are also posted. Reading it gives nobody the right to decide. */
export const channel = parsedText(parseChannel, `must be ${channelForms}`, {
  id: "Channel",
  description: `${channelForms}.`,
  examples: ["slack:C0APPROVALS", "teams:19:aBcD_1@thread.tacv2", "email:security@company.com"],
  pattern: "^(slack|teams|email):.+$",
});

export const channels = listOf(channel, { min: 0, max: channelsPerListMax }, (one) => one);

/** An instant in RFC 3339 with an offset. Other ISO 8601 forms are refused. */
export const time = parsedText(parseRfc3339, "must be an RFC 3339 time such as 2024-01-15T10:30:00.000Z", {
  id: "Time",
  description: "RFC 3339 with an offset.",
  examples: ["2024-01-15T10:30:00.000Z"],
});

/** A name for people and logs: one line, so that it cannot forge another log line. */
export const name = z
  .string()
  .min(1)
  .max(nameLengthMax)
  .refine(isOneLine, "must be one line without spaces at its ends");

/** Shown as a quotation to people whom a policy denies access. */
export const policyMessage = z
  .string()
  .min(1)
  .max(policyMessageLengthMax)
  .refine(
    (text) => text === "" || (text.trim() !== "" && !/[^\P{Cc}\n\t]/u.test(text)),
    "must be text without control characters",
  );

export const description = z.string().min(1).max(descriptionLengthMax);

/** A list without duplicates by `keyOf`. A duplicate is refused at its index. */
export function listOf<Item extends z.ZodType>(
  item: Item,
  limits: { readonly min: number; readonly max: number },
  keyOf: (value: z.output<Item>) => string,
) {
  return z
    .array(item)
    .min(limits.min)
    .max(limits.max)
    .superRefine((values, context) => {
      const seen = new Set<string>();
      for (const [index, value] of values.entries()) {
        const key = keyOf(value);
        if (seen.has(key)) context.addIssue({ code: "custom", path: [index], message: "is listed twice" });
        seen.add(key);
      }
    });
}

function parseChannel(text: string): string | undefined {
  if (/^slack:[CG][A-Z0-9]{2,20}$/.test(text)) return text;
  if (/^teams:19:[A-Za-z0-9_-]{1,200}@thread\.(tacv2|skype|v2)$/.test(text)) return text;
  const address = text.startsWith("email:") ? parseEmail(text.slice("email:".length)) : undefined;
  return address === undefined ? undefined : `email:${address}`;
}

function parseRfc3339(text: string) {
  const shape = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;
  return shape.test(text) ? parseInstant(text) : undefined;
}

function isOneLine(text: string): boolean {
  return text === text.trim() && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text);
}

import { z } from "zod";
import { builtInIdentityId } from "../../core/values/identity-origins.ts";
import type { Identity } from "../../core/values/identity.ts";
import { parsedText } from "./parsed-text.ts";
import { email, groupName, identityId, listOf, name } from "./values.ts";

const groupsPerIdentityMax = 200;

/** The fields of an identity that people write. The service adds who manages it and whether it is enabled. */
export type IdentityContent = Omit<Identity, "managedBy" | "listed" | "enabled">;

const slackTeam = parsedText(
  (text) => (/^[TE][A-Za-z0-9_]{1,40}$/.test(text) ? text : undefined),
  "must be a Slack workspace's id such as T0123",
  { description: "The id of the Slack workspace.", examples: ["T0123"] },
);
const slackUser = parsedText(
  (text) => (/^[UW][A-Za-z0-9_]{1,40}$/.test(text) ? text : undefined),
  "must be a Slack member's id such as U0123",
  { description: "The id of the Slack member.", examples: ["U0123"] },
);
/** An id of Microsoft Entra, in lower case as Microsoft writes it. Upper case means the same. */
const microsoftId = parsedText(
  (text) => (/^[A-Za-z0-9-]{1,64}$/.test(text) ? text.toLowerCase() : undefined),
  "must be a Microsoft Entra object's id: letters, digits and -",
  { description: "A GUID.", examples: ["00000000-0000-0000-0000-000000000000"] },
);

const links = z.strictObject({
  slack: z.exactOptional(z.strictObject({ teamId: slackTeam, userId: slackUser })),
  teams: z.exactOptional(z.strictObject({ tenantId: microsoftId, aadObjectId: microsoftId })),
});

const kind = z.enum(["HUMAN", "SERVICE"]);
const groups = listOf(groupName, { min: 0, max: groupsPerIdentityMax }, (one) => one);

/** Any id but that of the identity that owns the built-in key. */
const id = identityId.refine((value) => value !== builtInIdentityId, "is the built-in identity's");

const content = z.strictObject({
  id,
  kind: kind.default("HUMAN"),
  email: z.exactOptional(email).describe("Optional for a SERVICE."),
  name,
  managerId: z.exactOptional(identityId),
  groups: groups.default([]).describe("A group consists of the identities that list it."),
  links: links.default({}).describe("Accounts on the chat platforms."),
});

/** An identity as the file lists it. */
export const identityContent = content
  .superRefine(checkPerson)
  .transform((identity): IdentityContent => identity);

/** A reference to an existing identity in the API. */
const knownIdentity = z.union([identityId, email]).describe("By id or e-mail address.");

/** An identity as the API creates it. The id is optional, and it may be created deactivated. */
export const newIdentity = content
  .extend({
    id: z.exactOptional(id),
    managerId: z.exactOptional(knownIdentity),
    active: z.boolean().default(true),
  })
  .superRefine(checkPerson);

/** The body of PATCH: omitted fields stay, null removes a value. */
export const identityChange = z.strictObject({
  kind: z.exactOptional(kind),
  email: z.exactOptional(email.nullable()),
  name: z.exactOptional(name),
  managerId: z.exactOptional(knownIdentity.nullable()),
  groups: z.exactOptional(groups),
  links: z.exactOptional(links),
  active: z.exactOptional(z.boolean()),
});

function checkPerson(
  identity: { id?: string; kind: string; email?: string; managerId?: string },
  context: z.core.$RefinementCtx,
): void {
  if (identity.kind === "HUMAN" && identity.email === undefined) {
    context.addIssue({ code: "custom", path: ["email"], message: "is missing: a HUMAN needs an address" });
  }
  if (identity.managerId !== undefined && identity.managerId === identity.id) {
    context.addIssue({ code: "custom", path: ["managerId"], message: "cannot be the identity itself" });
  }
}

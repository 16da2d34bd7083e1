import { z } from "zod";
import { notifyChannels } from "../../core/access/access-request.ts";
import { statuses } from "../../core/access/status.ts";
import { reasonLengthMax, ticketLengthMax } from "../../service/ports/request-input.ts";
import { minuteMs } from "../../core/values/time.ts";
import { duration, time } from "../../config/schemas/values.ts";
import { paging } from "./pagination.ts";

/** Room for an e-mail address, the longest name of an identity. */
export const identityNameLengthMax = 300;
const metadataFieldsMax = 20;
const metadataLengthMax = 200;
const sshPublicKeyLengthMax = 16 * 1024;

/** Text that must not be blank. */
const requiredText = z
  .string()
  .min(1)
  .max(reasonLengthMax)
  .refine((text) => text.trim() !== "", "must not be empty");
const optionalText = z.string().max(reasonLengthMax);

/** Scopes and durations are parsed by the service, which refuses with `invalid_scope` and `invalid_duration`. */
const writtenScope = z.string().max(300).describe("action:resource");
const writtenDuration = z.string().max(100).describe("90s, 30m, 4h, 1h30m, 2d or PT4H; 1 second to 30 days.");

const metadata = z
  .record(z.string().min(1).max(metadataLengthMax), z.string().max(metadataLengthMax))
  .refine(
    (fields) => Object.keys(fields).length <= metadataFieldsMax,
    `has at most ${metadataFieldsMax} fields`,
  )
  .describe("At most 20 texts of at most 200 characters, shown to approvers.");

/** An id or an e-mail address. The service refuses any other text as an unknown identity. */
export const identityName = z.string().max(identityNameLengthMax);

export const askBody = z.strictObject({
  identityId: identityName.describe("Whose access it will be: by id or e-mail address."),
  reason: requiredText,
  scopes: z.array(writtenScope).max(200).describe("1 to 20 different ones."),
  duration: writtenDuration,
  notifyChannels: z
    .exactOptional(z.array(z.enum(notifyChannels)).max(notifyChannels.length))
    .describe("All when left out."),
  breakGlass: z.exactOptional(z.boolean()).describe("An emergency: no approval, but a review afterwards."),
  ticket: z.exactOptional(z.string().max(ticketLengthMax)),
  metadata: z.exactOptional(metadata),
});

export const approveBody = z.strictObject({
  comment: z.exactOptional(optionalText),
  duration: z.exactOptional(writtenDuration).describe("Approves for less; the shortest given counts."),
  revision: z
    .exactOptional(z.string().max(200))
    .describe("What the approver saw; refused with `request_changed` when it has changed since."),
});
export const reasonBody = z.strictObject({ reason: requiredText });
export const cancelBody = z.strictObject({ reason: z.exactOptional(optionalText) });
export const claimBody = z.strictObject({
  sshPublicKey: z
    .exactOptional(z.string().max(sshPublicKeyLengthMax))
    .describe("For targets reached by SSH."),
});
/** Has no fields, because a check covers all connectors. */
export const checkBody = z.strictObject({});
export const completeBody = z.strictObject({ note: z.exactOptional(optionalText) });
export const extendBody = z.strictObject({ duration: writtenDuration, reason: requiredText });
export const reviewBody = z.strictObject({
  outcome: z.enum(["justified", "unjustified"]),
  comment: requiredText,
});

/** Any text is allowed, because the service answers `not_found` for text that is no id. */
export const idParams = z.object({ id: z.string() });
export const noQuery = z.strictObject({});

export const requestListQuery = z.strictObject({
  ...paging,
  status: z.exactOptional(z.enum(statuses)).describe("As it reads now."),
  identityId: z.exactOptional(identityName).describe("The requester, by id or e-mail address."),
  scope: z.exactOptional(z.string().max(300)).describe("Asked for this scope among others."),
  approver: z.exactOptional(z.literal("me")).describe("Which the caller may decide."),
  reviewer: z.exactOptional(z.literal("me")).describe("Uses of break-glass which the caller may review."),
  since: z.exactOptional(time).describe("Asked at this time or later."),
  until: z.exactOptional(time).describe("Asked before this time."),
});

/** The longest time a reader may wait for a change. */
const waitMaxMs = minuteMs;

/** `?wait=30s` */
export const readQuery = z.strictObject({
  wait: z
    .exactOptional(duration.refine((ms) => ms <= waitMaxMs, "must be at most 60s"))
    .describe("Answers when the request changes, and after this long at the latest; at most 60s."),
});

export const accessQuery = z.strictObject({
  ...paging,
  identityId: z.exactOptional(identityName).describe("Whose, by id or e-mail address."),
  scope: z.exactOptional(z.string().max(300)).describe("That includes this scope."),
});

export const catalogQuery = z.strictObject({ duration: writtenDuration.default("1h") });

/** Exactly one of the three says which access ends. */
export const revokeAllBody = z.union([
  z.strictObject({ identityId: identityName.min(1), reason: requiredText }),
  z.strictObject({ scopePrefix: z.string().min(1).max(200), reason: requiredText }),
  z.strictObject({ policyId: z.string().min(1).max(200), reason: requiredText }),
]);

export const abandonBody = z.strictObject({
  object: z.string().min(1).max(200).describe("As in `grant.targets[].object`."),
  reason: requiredText,
});

export const confirmBody = z.strictObject({
  place: z.string().min(1).max(2_000).describe("The new address, as `proposedPlace` of the connector says."),
  reason: requiredText,
});

export const lockdownBody = z.strictObject({ on: z.boolean(), reason: requiredText });

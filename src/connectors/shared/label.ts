import { createHash } from "node:crypto";
import { parseId, type GrantId, type Instant } from "../../core/values/ids.ts";
import { formatInstant, parseInstant } from "../../core/values/time.ts";

/** The label on an object at the target. By it we find our own objects, and no others, without any local records. */
export interface Label {
  readonly grantId: GrantId;
  readonly notAfter: Instant;
  /** What was granted, to detect drift later: for example the groups of a role. */
  readonly given: readonly string[];
  /** When the object was created, by the target's clock; absent for kinds that do not need it. */
  readonly from?: Instant | null;
}

/** A label of ours as found at a target; a field that cannot be read is null. */
export type FoundLabel = { readonly [Key in keyof Label]: Label[Key] | null };

/** The owner of a label. Installations and connectors may share a server, and touch only their own objects. */
export interface Owner {
  readonly instance: string;
  readonly connector: string;
}

const by = "jit-access";

/** The label as one line of JSON. */
export function formatLabel(
  { instance, connector }: Owner,
  { grantId, notAfter, given, from = null }: Label,
): string {
  return JSON.stringify({
    by,
    instance,
    connector,
    grant: grantId,
    notAfter: formatInstant(notAfter),
    given,
    ...(from !== null && { from: formatInstant(from) }),
  });
}

/** Parses a text found at a target; undefined when it is not a label of ours. Never throws. */
export function readLabel(owner: Owner, text: string | null): FoundLabel | undefined {
  const parsed = parseJson(text ?? "");
  if (typeof parsed !== "object" || parsed === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(parsed));
  const isOurs =
    fields.get("by") === by &&
    fields.get("instance") === owner.instance &&
    fields.get("connector") === owner.connector;
  if (!isOurs) return undefined;
  const [grant, given] = [fields.get("grant"), fields.get("given")];
  return {
    grantId: typeof grant === "string" ? (parseId("grant", grant) ?? null) : null,
    notAfter: instantIn(fields.get("notAfter")),
    from: instantIn(fields.get("from")),
    given: Array.isArray(given) ? given.filter((item) => typeof item === "string") : null,
  };
}

/** PostgreSQL truncates longer names, and two truncated names could be equal. */
const nameLengthMax = 63;

/**
 * `jit_gr_…_0123ab`: the grant's id, and six digits of a hash of the connector's name, because two connectors may lead
 * to the same server. An id that is too long is replaced by its hash.
 */
export function objectName(start: string, connector: string, grantId: GrantId): string {
  const suffix = `_${sha256Hex(connector).slice(0, 6)}`;
  const name = `${start}${grantId}${suffix}`;
  return name.length <= nameLengthMax ? name : `${start}${sha256Hex(grantId).slice(0, 32)}${suffix}`;
}

/** In lower-case hex. */
export function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function instantIn(field: unknown): Instant | null {
  return typeof field === "string" ? (parseInstant(field) ?? null) : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

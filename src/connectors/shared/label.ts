import { createHash } from "node:crypto";
import { parseId, type GrantId, type Instant } from "../../core/values/ids.ts";
import { formatInstant, parseInstant } from "../../core/values/time.ts";

/** Whose an object is, as written onto it at the target: how we and only we find it again, without any ledger. */
export interface Label {
  readonly grantId: GrantId;
  readonly notAfter: Instant;
  /** What the kind wants to compare with later, such as the roles it gave. */
  readonly given: readonly string[];
  /** When the object was made, by the target's own clock; absent where the kind has no use for that. */
  readonly from?: Instant | null;
}

/** A label of ours as found; null where it says nothing that can be read. */
export type FoundLabel = { readonly [Key in keyof Label]: Label[Key] | null };

/** Who is labelling: two installations, or two connectors of one, may share a server without touching each other's. */
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

/** What a text found at a target says; undefined when it is not a label of ours. Never throws. */
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
    given: Array.isArray(given) ? given.filter((one) => typeof one === "string") : null,
  };
}

/** Names longer than this are cut by PostgreSQL, and two that were cut could be one. */
const nameLengthMax = 63;

/**
 * `jit_gr_…_0123ab`: the grant's id, and six digits of the connector's name, for one server may be behind two
 * connectors. An id too long for that is represented by its hash.
 */
export function objectName(start: string, connector: string, grantId: GrantId): string {
  const tail = `_${sha256Hex(connector).slice(0, 6)}`;
  const name = `${start}${grantId}${tail}`;
  return name.length <= nameLengthMax ? name : `${start}${sha256Hex(grantId).slice(0, 32)}${tail}`;
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

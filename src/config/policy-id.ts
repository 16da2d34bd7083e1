import { makeId, type PolicyId } from "../core/values/ids.ts";

/** The id of the file's `default`. No policy name can produce it, because all other ids of file policies end in a hash. */
export const defaultPolicyId: PolicyId = makeId("policy", "default");

const slugLengthMax = 48;

/**
 * Derives the id of a file policy from its name. The same name gives the same id on every load and machine, so that
 * versions continue and grants keep referring to it. A different name is a different policy.
 */
export function policyIdOf(name: string): PolicyId {
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, slugLengthMax)
    .replaceAll(/^-|-$/g, "");
  return makeId("policy", slug === "" ? hashOf(name) : `${slug}-${hashOf(name)}`);
}

/** FNV-1a, 64 bit, over UTF-8, in base 36. It only distinguishes names with the same slug, and protects no secret. */
function hashOf(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(36).padStart(13, "0");
}

import type { Condition, TextCondition } from "./conditions.ts";
import type { Scope } from "../values/ids.ts";
import type { Policy } from "./policy.ts";
import { actionOf, resourceOf } from "../values/scopes.ts";

/** Finds the few policies worth judging for a scope, so that ten thousand cost about what ten do. */
export interface PolicyIndex {
  /** Every enabled policy that could hold for the scope, each once, in no order that means anything. */
  candidates(scope: Scope): readonly Policy[];
}

/**
 * Each policy is filed under the one condition of it that the fewest scopes can meet: an exact text, or a beginning, of
 * the scope, its resource or its action. A policy without such a condition is a candidate always. Filing is only a
 * sieve: a candidate is still judged. To be built once per version of the rulebook.
 */
export function indexPolicies(policies: readonly Policy[]): PolicyIndex {
  const always: Policy[] = [];
  const buckets: IndexBuckets = { SCOPE: emptyBucket(), RESOURCE: emptyBucket(), ACTION: emptyBucket() };
  for (const policy of policies) {
    if (!policy.enabled) continue;
    const keys = mostSpecificKeys(policy.conditions);
    if (keys === undefined) always.push(policy);
    else for (const key of keys) file(policy, key, buckets[key.part]);
  }
  return {
    candidates: (scope) => {
      const found = new Set(always);
      addMatches(buckets.SCOPE, scope, found);
      addMatches(buckets.RESOURCE, resourceOf(scope), found);
      addMatches(buckets.ACTION, actionOf(scope), found);
      return [...found];
    },
  };
}

type ScopePart = "SCOPE" | "RESOURCE" | "ACTION";
type IndexBuckets = { readonly [part in ScopePart]: IndexBucket };

/** What a part of the scope must be, or begin with. */
interface Key {
  readonly part: ScopePart;
  readonly isExact: boolean;
  readonly text: string;
}

interface IndexBucket {
  readonly exact: Map<string, Policy[]>;
  readonly prefixes: Map<string, Policy[]>;
  /** Lengths of all beginnings: one look-up for each finds them all. */
  readonly lengths: Set<number>;
}

function emptyBucket(): IndexBucket {
  return { exact: new Map(), prefixes: new Map(), lengths: new Set() };
}

function file(policy: Policy, key: Key, bucket: IndexBucket): void {
  if (!key.isExact) bucket.lengths.add(key.text.length);
  const entries = key.isExact ? bucket.exact : bucket.prefixes;
  const policies = entries.get(key.text);
  if (policies === undefined) entries.set(key.text, [policy]);
  else policies.push(policy);
}

function addMatches(bucket: IndexBucket, text: string, found: Set<Policy>): void {
  for (const policy of bucket.exact.get(text) ?? []) found.add(policy);
  for (const length of bucket.lengths) {
    if (length > text.length) continue;
    for (const policy of bucket.prefixes.get(text.slice(0, length)) ?? []) found.add(policy);
  }
}

/** The keys of the condition that sieves best; undefined when none of them can be decided by a look-up. */
function mostSpecificKeys(conditions: readonly Condition[]): readonly Key[] | undefined {
  let best: readonly Key[] | undefined;
  for (const condition of conditions) {
    const keys = keysOf(condition);
    if (keys !== undefined && (best === undefined || specificity(keys) > specificity(best))) best = keys;
  }
  return best;
}

/** One of these keys fits every scope for which the condition holds; undefined when no keys can say that. */
function keysOf(condition: Condition): readonly Key[] | undefined {
  if ("anyOf" in condition) {
    const keys = condition.anyOf.map(keysOf);
    return keys.every((some) => some !== undefined) ? keys.flat() : undefined;
  }
  if ("not" in condition) return undefined;
  const isOnScope =
    condition.type === "SCOPE" || condition.type === "RESOURCE" || condition.type === "ACTION";
  return isOnScope ? textKeys(condition.type, condition) : undefined;
}

function textKeys(part: ScopePart, condition: TextCondition): readonly Key[] | undefined {
  if (condition.operator === "IN") {
    return condition.value.map((text) => ({ part, isExact: true, text }));
  }
  if (condition.operator === "EQUALS" || condition.operator === "STARTS_WITH") {
    return [{ part, isExact: condition.operator === "EQUALS", text: condition.value }];
  }
  return undefined;
}

/** As narrow as the widest of the keys. No key at all is met by no scope: nothing is narrower. */
function specificity(keys: readonly Key[]): number {
  return Math.min(...keys.map(specificityOf));
}

/** Exact resources before beginnings of them, longer before shorter, and actions last: there are few of those. */
function specificityOf({ part, isExact, text }: Key): number {
  const isAboutResource = part === "RESOURCE" || (part === "SCOPE" && text.includes(":"));
  return (isAboutResource ? 10_000 : 0) + (isExact ? 1_000 : 0) + text.length;
}

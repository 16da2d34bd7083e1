import type { Condition, TextCondition } from "./conditions.ts";
import type { Scope } from "../values/ids.ts";
import type { Policy } from "./policy.ts";
import { actionOf, resourceOf } from "../values/scopes.ts";

/** Finds the few policies to evaluate for a scope. Ten thousand policies cost about as much as ten. */
export interface PolicyIndex {
  /** Every enabled policy that could hold for the scope, without duplicates, in no particular order. */
  candidates(scope: Scope): readonly Policy[];
}

/**
 * Indexes each policy by its most selective condition: exact text or prefix of scope, resource or action. Policies
 * without one are always candidates. The index only prefilters; candidates are still evaluated. Build once per
 * rulebook version.
 */
export function indexPolicies(policies: readonly Policy[]): PolicyIndex {
  const always: Policy[] = [];
  const buckets: IndexBuckets = { SCOPE: emptyBucket(), RESOURCE: emptyBucket(), ACTION: emptyBucket() };
  for (const policy of policies) {
    if (!policy.enabled) continue;
    const keys = mostSpecificKeys(policy.conditions);
    if (keys === undefined) always.push(policy);
    else for (const key of keys) addToBucket(policy, key, buckets[key.part]);
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

/** The exact text or the prefix of a part of the scope. */
interface IndexKey {
  readonly part: ScopePart;
  readonly isExact: boolean;
  readonly text: string;
}

interface IndexBucket {
  readonly exact: Map<string, Policy[]>;
  readonly prefixes: Map<string, Policy[]>;
  /** Lengths of all prefixes: one look-up per length finds them. */
  readonly lengths: Set<number>;
}

function emptyBucket(): IndexBucket {
  return { exact: new Map(), prefixes: new Map(), lengths: new Set() };
}

function addToBucket(policy: Policy, key: IndexKey, bucket: IndexBucket): void {
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

/** The keys of the most selective condition; undefined when no condition can be indexed. */
function mostSpecificKeys(conditions: readonly Condition[]): readonly IndexKey[] | undefined {
  let best: readonly IndexKey[] | undefined;
  for (const condition of conditions) {
    const keys = keysOf(condition);
    if (keys !== undefined && (best === undefined || specificity(keys) > specificity(best))) best = keys;
  }
  return best;
}

/** Keys of which at least one matches whenever the condition holds; undefined when there are no such keys. */
function keysOf(condition: Condition): readonly IndexKey[] | undefined {
  if ("anyOf" in condition) {
    const keys = condition.anyOf.map(keysOf);
    return keys.every((alternative) => alternative !== undefined) ? keys.flat() : undefined;
  }
  if ("not" in condition) return undefined;
  const isOnScope =
    condition.type === "SCOPE" || condition.type === "RESOURCE" || condition.type === "ACTION";
  return isOnScope ? textKeys(condition.type, condition) : undefined;
}

function textKeys(part: ScopePart, condition: TextCondition): readonly IndexKey[] | undefined {
  if (condition.operator === "IN") {
    return condition.value.map((text) => ({ part, isExact: true, text }));
  }
  if (condition.operator === "EQUALS" || condition.operator === "STARTS_WITH") {
    return [{ part, isExact: condition.operator === "EQUALS", text: condition.value }];
  }
  return undefined;
}

/** The least specific key decides. An empty list matches no scope, so it is maximally specific. */
function specificity(keys: readonly IndexKey[]): number {
  return Math.min(...keys.map(specificityOf));
}

/** Exact resources before prefixes, longer before shorter, and actions last, because there are few of those. */
function specificityOf({ part, isExact, text }: IndexKey): number {
  const isAboutResource = part === "RESOURCE" || (part === "SCOPE" && text.includes(":"));
  return (isAboutResource ? 10_000 : 0) + (isExact ? 1_000 : 0) + text.length;
}

import { brandScope, type Scope } from "./ids.ts";
import { holdsToken } from "./mask-tokens.ts";

/** `action:resource` (docs/api.md#scopes). The first colon separates, because a resource may contain colons. */
const scopePattern = /^[a-z][a-z0-9_.-]{0,31}:[A-Za-z0-9._:/@-]{1,128}$/;

export const scopesPerRequestMax = 20;

/**
 * Parses a scope; undefined when `text` is not `action:resource`. Scopes are compared exactly, without wildcards.
 */
export function parseScope(text: string): Scope | undefined {
  // A token pasted here would be stored and shown in clear.
  return scopePattern.test(text) && !holdsToken(text) ? brandScope(text) : undefined;
}

export function actionOf(scope: Scope): string {
  return scope.slice(0, scope.indexOf(":"));
}

export function resourceOf(scope: Scope): string {
  return scope.slice(scope.indexOf(":") + 1);
}

/** A key that is equal for equal sets of scopes, whatever their order. */
export function scopeSetKey(scopes: readonly Scope[]): string {
  return [...new Set(scopes)].toSorted().join(" ");
}

import { brandScope, type Scope } from "./ids.ts";
import { holdsToken } from "./mask-tokens.ts";

/** `action:resource`: contract §3. The resource may itself contain colons, so the first colon divides. */
const scopePattern = /^[a-z][a-z0-9_.-]{0,31}:[A-Za-z0-9._:/@-]{1,128}$/;

export const scopesPerRequestMax = 20;

/** The scope, or undefined when `text` is not `action:resource`. Compared exactly, no wildcards. */
export function parseScope(text: string): Scope | undefined {
  // A token pasted here would be stored, shown and compared in clear for ever.
  return scopePattern.test(text) && !holdsToken(text) ? brandScope(text) : undefined;
}

export function actionOf(scope: Scope): string {
  return scope.slice(0, scope.indexOf(":"));
}

export function resourceOf(scope: Scope): string {
  return scope.slice(scope.indexOf(":") + 1);
}

/** One text for one set of scopes, whatever their order. */
export function scopeSetKey(scopes: readonly Scope[]): string {
  return [...new Set(scopes)].toSorted().join(" ");
}

import { isOpen, type AccessRequest } from "../../core/access/access-request.ts";
import type { IdentityId, RequestId, Scope } from "../../core/values/ids.ts";
import { scopeSetKey } from "../../core/values/scopes.ts";
import type { Store, Versioned } from "../ports/store.ts";

/**
 * The subject's other open requests for the same set of scopes. They exist only where one was stranded, because then
 * the same access may be requested again. Emergencies and extensions do not count.
 */
export async function loadSiblings(
  store: Store,
  of: { readonly id: RequestId; readonly subjectId: IdentityId; readonly scopes: readonly Scope[] },
): Promise<readonly Versioned<AccessRequest>[]> {
  const wanted = scopeSetKey(of.scopes);
  const siblings: Versioned<AccessRequest>[] = [];
  for (const id of await store.openRequestsOf(of.subjectId)) {
    const found = id === of.id ? undefined : await store.request(id);
    if (found !== undefined && isSibling(found.request.value, wanted)) siblings.push(found.request);
  }
  return siblings;
}

function isSibling(request: AccessRequest, wanted: string): boolean {
  const isOrdinary = request.breakGlass === undefined && request.extension === undefined;
  return isOpen(request) && isOrdinary && scopeSetKey(request.scopes) === wanted;
}

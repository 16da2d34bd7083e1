import { parseId, type RequestId } from "../../core/values/ids.ts";
import { refuse, type Refusal } from "../../core/values/refusals.ts";
import { expectUnchanged, type VersionedCase } from "./build-step.ts";
import type { ServiceContext } from "./load-facts.ts";
import { loadSiblings } from "./load-siblings.ts";
import type { IndexedRulebook } from "./rulebook-reader.ts";

/** A case as read once for a decision, with the rules in force at that moment. */
export interface LoadedCase extends VersionedCase {
  readonly rules: IndexedRulebook;
}

/** The case of the request with this id, as the caller wrote it. Text that is no id is not found. */
export async function findCase(context: ServiceContext, id: string): Promise<LoadedCase | Refusal> {
  const requestId = parseId("request", id);
  const loaded = requestId === undefined ? undefined : await loadCase(context, requestId);
  return loaded ?? requestNotFound(id);
}

export function requestNotFound(id: string): Refusal {
  return refuse("not_found", `There is no request "${id.slice(0, 80)}".`);
}

/** A request with everything that is decided together with it: its grant, its extension or parent, its siblings. */
async function loadCase({ store, rulebook }: ServiceContext, id: RequestId): Promise<LoadedCase | undefined> {
  const found = await store.request(id);
  if (found === undefined) return undefined;
  const { request } = found;
  const { extension } = request.value;
  const parent = extension === undefined ? undefined : await store.request(extension.of);
  const grant = parent?.grant ?? found.grant;
  const isOrdinary = extension === undefined && request.value.breakGlass === undefined;
  const isUndecided = request.value.phase === "PENDING" && isOrdinary;
  const siblings = isUndecided ? await loadSiblings(store, request.value) : [];
  const child =
    extension === undefined && grant !== undefined ? await store.openExtension(grant.value.id) : undefined;
  return {
    accessCase: {
      request: request.value,
      ...(grant !== undefined && { grant: grant.value }),
      ...(child !== undefined && { extension: child.value }),
      ...(parent !== undefined && { parent: parent.request.value }),
      ...(siblings.length > 0 && { siblings: siblings.map((one) => one.value) }),
    },
    expects: [
      expectUnchanged("request", request),
      ...(grant === undefined ? [] : [expectUnchanged("grant", grant)]),
      ...(child === undefined ? [] : [expectUnchanged("request", child)]),
      ...siblings.map((one) => expectUnchanged("request", one)),
    ],
    rules: await rulebook(),
  };
}

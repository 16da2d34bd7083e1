import type { AccessRequest, NotifyChannel } from "../../core/access/access-request.ts";
import { approversOf } from "../../core/access/approvals.ts";
import { assertPresent } from "../../core/values/assert.ts";
import type { IdentityId } from "../../core/values/ids.ts";
import type { Directory } from "../../core/values/identity.ts";
import { stagesOf } from "../../core/policy/requirement.ts";
import { storedRequestOf, type ShownRequest, type StoredRequest } from "./stored-request.ts";
import { loadPeopleOf, type ServiceContext } from "./load-facts.ts";
import type { LoadedPeople } from "./loaded-people.ts";
import type { RequestWithGrant } from "../ports/store.ts";
import { requestView, type RequestView } from "../views/request-view.ts";

/** One request as its readers see it now, or as its answer was kept. */
export async function showRequest(context: ServiceContext, stored: StoredRequest): Promise<ShownRequest> {
  if (stored.shown !== undefined) return stored.shown;
  const { request, grant, version, rules } = stored;
  const { people, deliveries, views } = await showAll(context, [stored], stored.people);
  const view = assertPresent(views[0], request.id);
  return { request, grant, version, ...(rules !== undefined && { rules }), view, people, deliveries };
}

/** What callers see of these requests now, in the same order, and the people they name. */
export async function viewsOf(
  context: ServiceContext,
  rows: readonly RequestWithGrant[],
): Promise<{ readonly views: readonly RequestView[]; readonly directory: Directory }> {
  const { views, people } = await showAll(context, rows.map(storedRequestOf));
  return { views, directory: people.directory };
}

async function showAll(context: ServiceContext, stored: readonly StoredRequest[], known?: LoadedPeople) {
  const { store, runtime, surfaces } = context;
  const { configured } = surfaces;
  const requests = stored.map(({ request }) => request);
  const people = await loadPeopleOf(context, requests, known);
  const { directory } = people;
  const deliveries = configured.size === 0 ? [] : await store.deliveries(requests.map(({ id }) => id));
  const reachable = await reachableApprovers(context, requests, directory);
  const now = runtime.now();
  const views = stored.map(({ request, grant }) =>
    requestView(request, {
      grant,
      directory,
      configured,
      deliveries: deliveries.filter((one) => one.requestId === request.id),
      ...(reachable !== undefined && { reachable }),
      now,
    }),
  );
  return { views, people, deliveries };
}

/** On which channels each approver of a pending request can be notified; undefined where none is configured. */
async function reachableApprovers(
  { surfaces }: ServiceContext,
  requests: readonly AccessRequest[],
  directory: Directory,
): Promise<ReadonlyMap<IdentityId, readonly NotifyChannel[]> | undefined> {
  if (surfaces.configured.size === 0) return undefined;
  const people = new Map(
    requests
      .filter((one) => one.phase === "PENDING")
      .flatMap((one) => stagesOf(one.requirement).flatMap((stage) => approversOf(one, stage, directory)))
      .map((person) => [person.id, person]),
  );
  const addresses = await Promise.all(
    [...people.values()].map(
      async (person) =>
        [
          person.id,
          (await surfaces.addressesOf(person)).map((deliveryAddress) => deliveryAddress.messenger.surface),
        ] as const,
    ),
  );
  return new Map(addresses);
}

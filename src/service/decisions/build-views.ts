import type { AccessRequest, NotifyChannel } from "../../core/access/access-request.ts";
import { approversOf } from "../../core/access/approvals.ts";
import type { IdentityId } from "../../core/values/ids.ts";
import type { Directory } from "../../core/values/identity.ts";
import { stagesOf } from "../../core/policy/requirement.ts";
import { idsIn, loadPeople, selectorsIn, type ServiceContext } from "./load-facts.ts";
import type { RequestWithGrant } from "../ports/store.ts";
import { requestView, type RequestView } from "../views/request-view.ts";

/** A request and the grant it led to, as they stand or are about to be written. */
export interface Viewable {
  readonly request: { readonly value: RequestWithGrant["request"]["value"] };
  readonly grant: { readonly value: NonNullable<RequestWithGrant["grant"]>["value"] } | undefined;
}

/** What callers may see of these requests at this moment, in the same order. */
export async function viewsOf(context: ServiceContext, rows: readonly Viewable[]): Promise<RequestView[]> {
  const { store, runtime, surfaces } = context;
  const { configured } = surfaces;
  const requests = rows.map((row) => row.request.value);
  const { directory } = await loadPeople(context, requests.flatMap(idsIn), requests.flatMap(selectorsIn));
  const deliveries = configured.size === 0 ? [] : await store.deliveries(requests.map((one) => one.id));
  const reachable = await reachableIn(context, requests, directory);
  const now = runtime.now();
  return rows.map(({ request, grant }) =>
    requestView(request.value, {
      grant: grant?.value,
      directory,
      configured,
      deliveries: deliveries.filter((one) => one.requestId === request.value.id),
      ...(reachable !== undefined && { reachable }),
      now,
    }),
  );
}

/** On which channels the approvers of what is pending can be told; undefined where none is configured. */
async function reachableIn(
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

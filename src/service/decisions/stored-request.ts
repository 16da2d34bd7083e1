import type { AccessRequest } from "../../core/access/access-request.ts";
import type { Grant } from "../../core/access/grant.ts";
import type { Delivery, Expectation, RequestWithGrant, Write } from "../ports/store.ts";
import type { RequestView } from "../views/request-view.ts";
import type { LoadedPeople } from "./loaded-people.ts";
import type { IndexedRulebook } from "./rulebook-reader.ts";

/** A request as a call leaves it, with what was read on the way, so that showing it reads nothing twice. */
export interface StoredRequest {
  readonly request: AccessRequest;
  readonly grant: Grant | undefined;
  /** Changes with every change of the request or its grant. */
  readonly version: string;
  readonly people?: LoadedPeople;
  readonly rules?: IndexedRulebook;
  /** As it was kept for an Idempotency-Key. The first answer is the same as the repeated one. */
  readonly shown?: ShownRequest;
}

/** A request as its readers see it, with everything that was read for that. */
export interface ShownRequest {
  readonly request: AccessRequest;
  readonly grant: Grant | undefined;
  readonly version: string;
  readonly rules?: IndexedRulebook;
  readonly view: RequestView;
  readonly people: LoadedPeople;
  readonly deliveries: readonly Delivery[];
}

/** A request as it was just read. */
export function storedRequestOf({ request, grant }: RequestWithGrant): StoredRequest {
  return {
    request: request.value,
    grant: grant?.value,
    version: formatVersion(request.version, grant?.version ?? 0),
  };
}

/** The version of a request that was read with these expectations, once these writes are committed. */
export function versionAfter(
  { id, grantId }: Pick<AccessRequest, "id" | "grantId">,
  expects: readonly Expectation[],
  writes: readonly Write[],
): string {
  const versionOf = (record: string | null): number => {
    const isWritten = writes.some(
      (write) => (write.kind === "request" || write.kind === "grant") && write.value.id === record,
    );
    const before = expects.find((one) => one.id === record)?.version ?? 0;
    return before + (isWritten ? 1 : 0);
  };
  return formatVersion(versionOf(id), versionOf(grantId));
}

function formatVersion(request: number, grant: number): string {
  return `${request}.${grant}`;
}

import type { AccessRequest } from "../../../../core/access/access-request.ts";
import type { Grant } from "../../../../core/access/grant.ts";
import type { RequestWithGrant } from "../../../../service/ports/store.ts";
import { grants } from "../../tables/grants.ts";
import { requests } from "../../tables/requests.ts";

/** The columns of a request joined with its grant. */
export const requestColumns = {
  ord: requests.ord,
  request: requests.value,
  requestVersion: requests.version,
  grant: grants.value,
  grantVersion: grants.version,
} as const;

export interface RequestRow {
  readonly ord: number;
  readonly request: AccessRequest;
  readonly requestVersion: number;
  readonly grant: Grant | null;
  readonly grantVersion: number | null;
}

export function asRequestWithGrant({
  request,
  requestVersion,
  grant,
  grantVersion,
}: RequestRow): RequestWithGrant {
  return {
    request: { value: request, version: requestVersion },
    grant: grant === null || grantVersion === null ? undefined : { value: grant, version: grantVersion },
  };
}

import type { FastifyRequest } from "fastify";
import { parseToken } from "../../core/values/token-format.ts";
import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import { lacksRole, type Caller } from "../../service/ports/caller.ts";
import type { Services } from "../../service/services.ts";
import { bearerOf, type RouteAccess } from "./route-access.ts";
import type { Limits } from "./rate-limits.ts";
import { RefusalError } from "../formats/problems.ts";

type AuthServices = Pick<Services, "audit" | "requestCommands" | "apiKeys">;

/**
 * Authenticates every call before its body is read: who calls (401), whether they call too often (429), and whether the
 * key has a role this route accepts (403). The services decide whether this person may act on this object.
 */
export function createRouteAuthentication({ audit, apiKeys, requestCommands }: AuthServices, limits: Limits) {
  const identify = async (request: FastifyRequest): Promise<Caller | Refusal> => {
    const token = bearerOf(request);
    if (token === undefined) {
      return refuse("unauthenticated", "Send an API key as Authorization: Bearer kd_live_….");
    }
    const caller = await apiKeys.authenticate(token);
    if (isRefusal(caller)) limits.reportInvalid("api_key");
    return caller;
  };

  /** For public routes: a valid key counts for itself, any other call for its address. */
  const limitAnonymous = async (request: FastifyRequest): Promise<void> => {
    const caller = bearerOf(request) === undefined ? undefined : await identify(request);
    if (caller === undefined || isRefusal(caller)) return limits.countAddress(request);
    request.caller = caller;
    return limits.countKey(request);
  };

  return async (
    request: FastifyRequest,
    { roles, limited, acceptsCredential, verb, auditRead }: RouteAccess,
  ): Promise<void> => {
    if (roles === undefined) {
      return limited === undefined ? limitAnonymous(request) : undefined;
    }
    if (acceptsCredential === true && parseToken(bearerOf(request) ?? "")?.kind === "jit") return;
    const caller = await identify(request);
    if (isRefusal(caller)) {
      await limits.countAddress(request);
      throw new RefusalError(caller);
    }
    request.caller = caller;
    if (limited === undefined) await limits.countKey(request);
    const missing = lacksRole(caller, ...roles);
    if (missing === undefined) return;
    if (auditRead !== undefined) throw new RefusalError(await audit.refused(caller, auditRead, missing));
    throw new RefusalError(
      verb === undefined ? missing : await requestCommands.refused(caller, verb, missing, idIn(request)),
    );
  };
}

/**
 * Authenticates a write again once its body has arrived. Sending the body may have taken seconds, in which the key was
 * deleted or its owner deactivated. Reads are authorised as of the moment they began.
 */
export function createWriteRecheck({ apiKeys }: Pick<Services, "apiKeys">) {
  return async (request: FastifyRequest): Promise<void> => {
    const { caller } = request;
    if (caller === null || request.method === "GET" || request.method === "HEAD") return;
    const current = await apiKeys.authenticate(bearerOf(request) ?? "");
    if (isRefusal(current)) throw new RefusalError(current);
    request.caller = {
      ...current,
      ...(caller.idempotentCall !== undefined && { idempotentCall: caller.idempotentCall }),
    };
  };
}

/**
 * Authenticates again before the response is sent, because a caller who waited for seconds may have lost the key, the
 * role or the identity meanwhile. This applies to reads and to responses that show a credential. Other writes are
 * answered without it, because the change may have been to the key itself.
 */
export function createReadRecheck(services: Pick<Services, "apiKeys">) {
  return async (request: FastifyRequest): Promise<void> => {
    const { method, caller, routeOptions } = request;
    const isRead = method === "GET" || method === "HEAD";
    if (caller === null || !(isRead || routeOptions.config.showsCredential === true)) return;
    await reauthenticate(services, request);
  };
}

/** The caller as of now. @throws RefusalError when they may no longer use this route */
export async function reauthenticate(
  { apiKeys }: Pick<Services, "apiKeys">,
  request: FastifyRequest,
): Promise<Caller> {
  const current = await apiKeys.authenticate(bearerOf(request) ?? "");
  if (isRefusal(current)) throw new RefusalError(current);
  const missing = lacksRole(current, ...(request.routeOptions.config.roles ?? []));
  if (missing !== undefined) throw new RefusalError(missing);
  return current;
}

function idIn({ params }: FastifyRequest): string | undefined {
  return typeof params === "object" && params !== null && "id" in params && typeof params.id === "string"
    ? params.id
    : undefined;
}

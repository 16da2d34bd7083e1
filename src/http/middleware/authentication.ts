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
 * What stands at every route's door, before the body is read: who is it (401), have they called too often (429), may a
 * key with these roles come in (403). Whether this person may do this is the services' business.
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

  /** Nobody is asked who they are; who says so anyway is counted as themselves. */
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
 * Asks again once the body is there: sending it may have taken seconds, in which the key was deleted or its owner
 * deactivated. Only for what changes something; reading is judged by the moment it began.
 */
export function createWriteRecheck({ apiKeys }: Pick<Services, "apiKeys">) {
  return async (request: FastifyRequest): Promise<void> => {
    const { caller } = request;
    if (caller === null || request.method === "GET" || request.method === "HEAD") return;
    const again = await apiKeys.authenticate(bearerOf(request) ?? "");
    if (isRefusal(again)) throw new RefusalError(again);
    request.caller = {
      ...again,
      ...(caller.idempotentCall !== undefined && { idempotentCall: caller.idempotentCall }),
    };
  };
}

/**
 * Asks once more before the answer goes out: who waited for it for seconds may have lost their key, their role or their
 * place here meanwhile. For everything that is read, and for answers that show a credential; what has changed something
 * else is answered, for it may have been the key itself.
 */
export function createReadRecheck(services: Pick<Services, "apiKeys">) {
  return async (request: FastifyRequest): Promise<void> => {
    const { method, caller, routeOptions } = request;
    const isRead = method === "GET" || method === "HEAD";
    if (caller === null || !(isRead || routeOptions.config.showsCredential === true)) return;
    await callerAgain(services, request);
  };
}

/** Who calls, as of now. @throws Refused when they may not any more */
export async function callerAgain(
  { apiKeys }: Pick<Services, "apiKeys">,
  request: FastifyRequest,
): Promise<Caller> {
  const again = await apiKeys.authenticate(bearerOf(request) ?? "");
  if (isRefusal(again)) throw new RefusalError(again);
  const missing = lacksRole(again, ...(request.routeOptions.config.roles ?? []));
  if (missing !== undefined) throw new RefusalError(missing);
  return again;
}

function idIn({ params }: FastifyRequest): string | undefined {
  return typeof params === "object" && params !== null && "id" in params && typeof params.id === "string"
    ? params.id
    : undefined;
}

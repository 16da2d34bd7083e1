import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyRequest,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { assertPresent } from "../../core/values/assert.ts";
import type { Role } from "../../core/values/identity.ts";
import type { RefusalCode } from "../../core/values/refusals.ts";
import type { AuditRead } from "../../service/reports/audit-service.ts";
import type { Caller } from "../../service/ports/caller.ts";

/** Who may call a route, and how it is limited. Every route under `/api` must set `roles` or `isPublic`. */
export interface RouteAccess {
  /** An API key with one of these roles may call the route. */
  readonly roles?: readonly Role[];
  /** No API key is required. */
  readonly isPublic?: true;
  /**
   * What counts against the rate limits. `failures`: only failed calls. `nothing`: no call, for probes, leak reports and
   * chat platforms, which call from few addresses. Absent: every call.
   */
  readonly limited?: "failures" | "nothing";
  /** A `kd_jit_` token is accepted too, and the handler checks it. */
  readonly acceptsCredential?: true;
  /** Only programs call it, thousands of times, so its responses omit the headers for browsers. */
  readonly withoutBrowserHeaders?: true;
  /** The command on a request. A call refused for its roles is recorded like a refusal of the command itself. */
  readonly verb?: string;
  /** The kind of audit-log read. A call refused for its roles is recorded. */
  readonly auditRead?: AuditRead;
  /**
   * Body fields of free text, nested ones with a dot. A token in them is masked; in any other field it is refused, so
   * that a forgotten field stores no token.
   */
  readonly freeText?: readonly string[];
  /** The response may show a credential after a wait for targets, so the caller is authenticated again before it. */
  readonly showsCredential?: true;
  /** Refusals for the API documentation, besides those that follow from the other fields. */
  readonly refusals?: readonly RefusalCode[];
}

declare module "fastify" {
  interface FastifyContextConfig extends RouteAccess {}

  interface FastifyRequest {
    /** Null until the call was authenticated by an API key. */
    caller: Caller | null;
  }
}

/** The server and every scope of it. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** The caller of a route with `roles`. */
export function callerOf(request: Pick<FastifyRequest, "caller">): Caller {
  return assertPresent(request.caller, "a route with roles has a caller");
}

const bearerPattern = /^bearer +([^\s]+) *$/i;

/** The token of `Authorization: Bearer …`. */
export function bearerOf(request: Pick<FastifyRequest, "headers">): string | undefined {
  return bearerPattern.exec(request.headers.authorization ?? "")?.[1];
}

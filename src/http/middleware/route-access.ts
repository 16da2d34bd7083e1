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

/** What a route says about its own door. Every route under `/api` has to say one of `roles` and `keyless`. */
export interface RouteAccess {
  /** A key with one of these opens it. */
  readonly roles?: readonly Role[];
  /** Nobody has to say who they are. */
  readonly isPublic?: true;
  /**
   * `failures`: only failures count against a limit. `nothing`: not even those; for probes, for leak reports, and for
   * chat platforms, who call from a few addresses. Absent: every call counts.
   */
  readonly limited?: "failures" | "nothing";
  /** A `kd_jit_` token opens it too, and the handler judges it. */
  readonly acceptsCredential?: true;
  /** Only programs call it, by the thousand: its answers go without the headers that are for browsers. */
  readonly withoutBrowserHeaders?: true;
  /** A verb about a request: being refused at the door goes on record like any refusal of the front desk. */
  readonly verb?: string;
  /** A way to read the audit log: being refused at the door is recorded. */
  readonly auditRead?: AuditRead;
  /**
   * Fields that are people's own words, in which a token is masked; in any other it is refused. With a dot: inside.
   * Absent: none, so that a forgotten field stores no token.
   */
  readonly words?: readonly string[];
  /** Its answer may show a credential, and targets may have been waited for: who calls is asked again before it. */
  readonly showsCredential?: true;
  /** Refusals to be documented besides those that follow from the rest. */
  readonly refusals?: readonly RefusalCode[];
}

declare module "fastify" {
  interface FastifyContextConfig extends RouteAccess {}

  interface FastifyRequest {
    /** Null until the door has let somebody in by their API key. */
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

/** Who calls a route with `roles`. */
export function callerOf(request: Pick<FastifyRequest, "caller">): Caller {
  return assertPresent(request.caller, "a caller behind a door with roles");
}

const bearerPattern = /^bearer +([^\s]+) *$/i;

/** The token of `Authorization: Bearer …`. */
export function bearerOf(request: Pick<FastifyRequest, "headers">): string | undefined {
  return bearerPattern.exec(request.headers.authorization ?? "")?.[1];
}

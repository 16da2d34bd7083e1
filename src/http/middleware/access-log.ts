import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from "fastify";
import { maskTokens } from "../../core/values/mask-tokens.ts";
import type { RouteAccess } from "./route-access.ts";
import { pathOf } from "./not-found.ts";

const pathLengthMax = 300;

/**
 * One line for each answer. Never headers, bodies or the query: tokens live there. A token in the path itself is
 * masked. Probes, checks, leak reports and introspections, many and all alike, only with `debug`; an introspection that failed always.
 */
export function createAccessLog(log: FastifyBaseLogger) {
  const saysRoutine = detailed.has(log.level);
  return (request: FastifyRequest, reply: FastifyReply, { limited }: RouteAccess): void => {
    const isRoutine = limited === "nothing" || (limited === "failures" && reply.statusCode < 400);
    if (isRoutine && !saysRoutine) return;
    log[isRoutine ? "debug" : "info"](
      {
        requestId: request.id,
        method: request.method,
        path: loggedPath(request.originalUrl),
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        address: request.ip,
        ...(request.caller?.key !== undefined && { key: request.caller.key.id }),
      },
      "answered",
    );
  };
}

/** A fault of ours while this call was answered. Who was told the call's id finds it under that. */
export function logFault({ log, id }: FastifyRequest, fault: unknown, message: string): void {
  log.error({ requestId: id, err: fault }, message);
}

/**
 * The same logger, with no other for each call: few calls have anything to say, and those name themselves; one made for
 * each would be paid for by all.
 */
export function sharedLogger(logger: FastifyBaseLogger): FastifyBaseLogger {
  const shared: FastifyBaseLogger = Object.create(logger, { child: { value: () => shared } });
  return shared;
}

/** Levels at which routine is said. */
const detailed: ReadonlySet<string> = new Set(["debug", "trace"]);

function loggedPath(url: string): string {
  const path = pathOf(url);
  return maskTokens(decoded(path)).text.slice(0, pathLengthMax);
}

/** Percent signs could hide a token from the mask. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path.replaceAll("%", "");
  }
}

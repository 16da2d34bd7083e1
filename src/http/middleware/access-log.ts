import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from "fastify";
import { maskTokens } from "../../core/values/mask-tokens.ts";
import type { RouteAccess } from "./route-access.ts";
import { pathOf } from "./not-found.ts";

const pathLengthMax = 300;

/**
 * Logs one line for each response. Headers, bodies and queries are never logged, because they may hold tokens; a token in
 * the path is masked. Probes, token checks, leak reports and successful introspections are frequent and alike, so they
 * are logged at level `debug` only.
 */
export function createAccessLog(log: FastifyBaseLogger) {
  const logsRoutine = verboseLevels.has(log.level);
  return (request: FastifyRequest, reply: FastifyReply, { limited }: RouteAccess): void => {
    const isRoutine = limited === "nothing" || (limited === "failures" && reply.statusCode < 400);
    if (isRoutine && !logsRoutine) return;
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
      "request completed",
    );
  };
}

/** Logs a fault of ours with the id of the request, which the caller knows from the response. */
export function logFault({ log, id }: FastifyRequest, fault: unknown, message: string): void {
  log.error({ requestId: id, err: fault }, message);
}

/**
 * Makes Fastify use one logger for all requests. A child logger per request would cost every request, although few of
 * them log anything and those lines carry the request id themselves.
 */
export function sharedLogger(logger: FastifyBaseLogger): FastifyBaseLogger {
  const shared: FastifyBaseLogger = Object.create(logger, { child: { value: () => shared } });
  return shared;
}

/** Levels at which routine requests are logged. */
const verboseLevels: ReadonlySet<string> = new Set(["debug", "trace"]);

function loggedPath(url: string): string {
  const path = pathOf(url);
  return maskTokens(decodePath(path)).text.slice(0, pathLengthMax);
}

/** Decodes the path, because percent-encoding could hide a token from the mask. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path.replaceAll("%", "");
  }
}

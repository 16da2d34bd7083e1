import type { FastifyReply, FastifyRequest } from "fastify";
import { maskTokens } from "../core/masking.ts";
import { pathOf } from "./not-found.ts";

const pathLengthMax = 300;

/**
 * One line for each answer. Never headers, bodies or the query: tokens live there. A token in the path itself is
 * masked. Probes and checks, many and all alike, only with `debug`.
 */
export async function logAnswer(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const line = {
    method: request.method,
    path: loggedPath(request.originalUrl),
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime),
    address: request.ip,
    ...(request.caller?.key !== undefined && { key: request.caller.key.id }),
  };
  if (request.routeOptions.config.limited === "nothing") request.log.debug(line, "answered");
  else request.log.info(line, "answered");
}

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

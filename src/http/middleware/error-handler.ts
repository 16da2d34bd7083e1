import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { refuse, type Refusal } from "../../core/values/refusals.ts";
import { StoreUnavailable } from "../../service/ports/store.ts";
import { InvalidInput } from "../formats/validation.ts";
import { nothingHere } from "./not-found.ts";
import {
  malformed,
  problem,
  type Problem,
  rawProblem,
  RefusalError,
  sendProblem,
  sendRefusal,
} from "../formats/problems.ts";
import { logFault } from "./access-log.ts";

/** Seconds to wait when the store says no: a busy disk is over soon, a full one is not made fuller. */
const storeRetrySeconds = 2;

/** Every way out that is not an answer: refusals as they are, faults in one sentence, and the rest only to the log. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = refusalOf(error);
  if (refusal !== undefined) {
    if (refusal.refused === "store_unavailable") logFault(request, error, "store unavailable");
    return sendRefusal(reply, refusal);
  }
  logFault(request, error, "request failed");
  return sendProblem(
    reply,
    problem("internal", `Something went wrong on our side. The log says more under ${request.id}.`),
  );
}

/** Undefined: not the caller's doing and not the store's. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof RefusalError) return error.refusal;
  if (error instanceof InvalidInput) {
    return refuse("invalid_body", "Some fields are not as they should be.", { errors: error.problems });
  }
  if (error instanceof StoreUnavailable) {
    return refuse("store_unavailable", "The store cannot be used at the moment; nothing was changed.", {
      retryAfterSeconds: storeRetrySeconds,
    });
  }
  return isFrameworkError(error) ? refusalOfFramework(error) : undefined;
}

/** Errors that Fastify raises before a handler runs: by code where we say more, else by their 4xx. */
function refusalOfFramework({ code, statusCode = 500 }: FastifyError): Refusal | undefined {
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return refuse("too_large", "A request body has at most 64 KiB.");
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return refuse("unsupported_type", "This is not a content type that can be read here.");
    case "FST_ERR_BAD_URL":
      return malformed("The path is not a valid one.");
    case "FST_ERR_MAX_PARAM_LENGTH":
      return nothingHere;
    default:
      return statusCode >= 400 && statusCode < 500 ? malformed("The request cannot be read.") : undefined;
  }
}

function isFrameworkError(error: unknown): error is FastifyError {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}

/** What is wrong with a connection before there is a request: not HTTP, too much of it, or too slow. */
export function handleClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(rawProblem(connectionProblem(error.code)), () => socket.destroy());
}

/** CONNECT: we are no proxy. */
export function handleConnect(socket: Duplex): void {
  socket.on("error", () => socket.destroy());
  socket.end(rawProblem(problem("malformed", "This is not a proxy.")));
}

function connectionProblem(code: string | undefined): Problem {
  if (code === "HPE_HEADER_OVERFLOW") {
    return problem("header_too_large", "The headers of a request have at most 16 KiB.");
  }
  return code === "ERR_HTTP_REQUEST_TIMEOUT"
    ? problem("request_timeout", "The request did not arrive in time.")
    : problem("malformed", "This is not a request that can be read.");
}

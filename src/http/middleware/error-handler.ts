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

/** How soon a caller may try again. A busy disk recovers quickly, and a retry does not make a full one worse. */
const storeRetrySeconds = 2;

/** Sends every error: refusals as problems, faults as one sentence, with the details in the log only. */
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

/** The refusal behind an error. Undefined for a fault of ours, as opposed to one of the caller or the store. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof RefusalError) return error.refusal;
  if (error instanceof InvalidInput) {
    return refuse("invalid_body", "Some fields are invalid.", { errors: error.problems });
  }
  if (error instanceof StoreUnavailable) {
    return refuse("store_unavailable", "The database is unavailable; nothing was changed.", {
      retryAfterSeconds: storeRetrySeconds,
    });
  }
  return isFrameworkError(error) ? refusalOfFramework(error) : undefined;
}

/** Maps errors that Fastify raises before a handler runs: known codes to a specific refusal, other 4xx to `malformed`. */
function refusalOfFramework({ code, statusCode = 500 }: FastifyError): Refusal | undefined {
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return refuse("too_large", "A request body has at most 64 KiB.");
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return refuse("unsupported_type", "This content type is not supported here.");
    case "FST_ERR_BAD_URL":
      return malformed("The path is invalid.");
    case "FST_ERR_MAX_PARAM_LENGTH":
      return nothingHere;
    default:
      return statusCode >= 400 && statusCode < 500 ? malformed("The request cannot be read.") : undefined;
  }
}

function isFrameworkError(error: unknown): error is FastifyError {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}

/** Answers a connection on which no request was parsed: not HTTP, headers too large, or too slow. */
export function handleClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(rawProblem(connectionProblem(error.code)), () => socket.destroy());
}

/** Refuses CONNECT, because this server is no proxy. */
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
    : problem("malformed", "The request is not valid HTTP.");
}

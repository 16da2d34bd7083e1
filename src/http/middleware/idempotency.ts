import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { isRefusal, refuse } from "../../core/values/refusals.ts";
import { startedStatus } from "../../service/decisions/idempotency.ts";
import { type IdempotentCall } from "../../service/ports/idempotent-call.ts";
import type { Services } from "../../service/services.ts";
import type { App } from "./route-access.ts";
import { malformed, problemContentType, RefusalError } from "../formats/problems.ts";
import { logFault } from "./access-log.ts";

const keyPattern = /^[\u0021-\u007e]{1,255}$/;

declare module "fastify" {
  interface FastifyRequest {
    /** Set while a call with an Idempotency-Key is processed for the first time. */
    idempotentCall: IdempotentCall | null;
  }
}

/**
 * Implements Idempotency-Key on POST: the same key and body get the same response, but never a token again. A command
 * stores its response in the commit of its effect; refusals and administrators' writes are stored here, afterwards.
 * See docs/api.md#idempotency.
 */
export function addIdempotency(app: App, { idempotency }: Pick<Services, "idempotency">): void {
  /** Calls in progress. In memory, because after a crash nothing is in progress any more. */
  const running = new Set<string>();
  app.decorateRequest("idempotentCall", null);

  app.addHook("preValidation", async (request, reply) => {
    const idempotentCall = idempotentCallOf(request);
    if (idempotentCall === undefined) return;
    const name = nameOf(idempotentCall);
    if (running.has(name)) {
      throw new RefusalError(
        refuse("idempotency_running", "This call is already being processed; wait for its response."),
      );
    }
    running.add(name);
    request.idempotentCall = idempotentCall;
    const record = await idempotency.find(idempotentCall);
    if (isRefusal(record)) throw new RefusalError(record);
    if (record === undefined || record.status === startedStatus) {
      if (request.caller !== null) request.caller = { ...request.caller, idempotentCall };
      return;
    }
    await reply
      .code(record.status)
      .header("idempotency-replayed", "true")
      .type(record.status >= 400 ? problemContentType : "application/json; charset=utf-8")
      .send(Buffer.from(record.body));
  });

  app.addHook("onSend", async (request, reply, payload) => {
    const { idempotentCall, caller } = request;
    const isFirst = idempotentCall !== null && caller?.idempotentCall !== undefined;
    if (isFirst && isStored(reply) && lengthOf(payload) <= storedLengthMax) {
      try {
        await idempotency.save(idempotentCall, reply.statusCode, withoutToken(payload));
      } catch (error) {
        logFault(request, error, "idempotency record not stored");
      }
    }
    return payload;
  });

  app.addHook("onResponse", async (request) => {
    if (request.idempotentCall !== null) running.delete(nameOf(request.idempotentCall));
  });
}

function idempotentCallOf(request: FastifyRequest): IdempotentCall | undefined {
  const given = request.headers["idempotency-key"];
  const keyId = request.caller?.key?.id;
  if (request.method !== "POST" || given === undefined || keyId === undefined) return undefined;
  if (typeof given !== "string" || !keyPattern.test(given)) {
    throw new RefusalError(malformed("An Idempotency-Key is 1 to 255 printable characters without spaces."));
  }
  return {
    keyId,
    call: `${request.method} ${request.url.split("?", 1)[0]}`,
    idempotencyKey: given,
    bodyHash: createHash("sha256")
      .update(JSON.stringify(request.body ?? {}))
      .digest("hex"),
  };
}

function nameOf({ keyId, call, idempotencyKey }: IdempotentCall): string {
  return `${keyId} ${call} ${idempotencyKey}`;
}

/** The longest response stored. A dry run may be longer, but repeating it is harmless. */
const storedLengthMax = 256 * 1024;

function lengthOf(payload: unknown): number {
  return typeof payload === "string" || Buffer.isBuffer(payload) ? payload.length : 0;
}

/** Responses that a retry may change are not stored, nor is a claim whose targets are still being prepared. */
function isStored({ statusCode }: FastifyReply): boolean {
  return statusCode < 500 && ![202, 401, 429].includes(statusCode);
}

/** The JSON that was sent, without the token and the secrets of targets, which are shown only once. */
function withoutToken(payload: unknown): string {
  const text = typeof payload === "string" || Buffer.isBuffer(payload) ? payload.toString() : "null";
  return JSON.stringify(JSON.parse(text), (_, value: unknown) => {
    if (typeof value !== "object" || value === null) return value;
    if ("secret" in value) return { ...value, secret: null };
    if (!("token" in value)) return value;
    const { token: _shown, ...rest } = value;
    return { ...rest, tokenShown: true };
  });
}

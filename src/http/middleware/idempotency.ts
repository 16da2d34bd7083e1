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
    /** Set while a call with an Idempotency-Key is being answered for the first time. */
    idempotentCall: IdempotentCall | null;
  }
}

/**
 * Idempotency-Key on POST (contract §3): the same key and body get the same answer, but never a token again. What has
 * an effect keeps its answer in the commit of that effect; refusals and what administrators make are kept here, after.
 */
export function addIdempotency(app: App, { idempotency }: Pick<Services, "idempotency">): void {
  /** In memory only: whoever dies while answering is not running any more. */
  const running = new Set<string>();
  app.decorateRequest("idempotentCall", null);

  app.addHook("preValidation", async (request, reply) => {
    const idempotentCall = idempotentCallOf(request);
    if (idempotentCall === undefined) return;
    const name = nameOf(idempotentCall);
    if (running.has(name)) {
      throw new RefusalError(
        refuse("idempotency_running", "This very call is being answered at the moment; wait for it."),
      );
    }
    running.add(name);
    request.idempotentCall = idempotentCall;
    const kept = await idempotency.find(idempotentCall);
    if (isRefusal(kept)) throw new RefusalError(kept);
    if (kept === undefined || kept.status === startedStatus) {
      if (request.caller !== null) request.caller = { ...request.caller, idempotentCall };
      return;
    }
    await reply
      .code(kept.status)
      .header("idempotency-replayed", "true")
      .type(kept.status >= 400 ? problemContentType : "application/json; charset=utf-8")
      .send(Buffer.from(kept.body));
  });

  app.addHook("onSend", async (request, reply, payload) => {
    const { idempotentCall, caller } = request;
    const isFirst = idempotentCall !== null && caller?.idempotentCall !== undefined;
    if (isFirst && isKept(reply) && lengthOf(payload) <= keptLengthMax) {
      try {
        await idempotency.save(idempotentCall, reply.statusCode, withoutToken(payload));
      } catch (error) {
        logFault(request, error, "the answer could not be kept");
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

/** A dry run may be longer; it has no effect, so trying it again does no harm. */
const keptLengthMax = 256 * 1024;

function lengthOf(payload: unknown): number {
  return typeof payload === "string" || Buffer.isBuffer(payload) ? payload.length : 0;
}

/** Not kept: what another try may change, and a claim that is still being prepared. */
function isKept({ statusCode }: FastifyReply): boolean {
  return statusCode < 500 && ![202, 401, 429].includes(statusCode);
}

/** The JSON that was sent, without what is shown only once: the token, and the secrets of targets. */
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

import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { isRefusal, refuse } from "../../core/values/refusals.ts";
import { unfinished } from "../../service/decisions/idempotency.ts";
import { type Once } from "../../service/ports/idempotent-call.ts";
import type { Services } from "../../service/services.ts";
import type { App } from "./route-access.ts";
import { malformed, problemContentType, Refused } from "../formats/problems.ts";
import { logFault } from "./access-log.ts";

const keyPattern = /^[\u0021-\u007e]{1,255}$/;

declare module "fastify" {
  interface FastifyRequest {
    /** Set while a call with an Idempotency-Key is being answered for the first time. */
    once: Once | null;
  }
}

/**
 * Idempotency-Key on POST (contract §3): the same key and body get the same answer, but never a token again. What has
 * an effect keeps its answer in the commit of that effect; refusals and what administrators make are kept here, after.
 */
export function addIdempotency(app: App, { answers }: Pick<Services, "answers">): void {
  /** In memory only: whoever dies while answering is not running any more. */
  const running = new Set<string>();
  app.decorateRequest("once", null);

  app.addHook("preValidation", async (request, reply) => {
    const once = onceOf(request);
    if (once === undefined) return;
    const name = nameOf(once);
    if (running.has(name)) {
      throw new Refused(
        refuse("idempotency_running", "This very call is being answered at the moment; wait for it."),
      );
    }
    running.add(name);
    request.once = once;
    const kept = await answers.find(once);
    if (isRefusal(kept)) throw new Refused(kept);
    if (kept === undefined || kept.status === unfinished) {
      if (request.caller !== null) request.caller = { ...request.caller, once };
      return;
    }
    await reply
      .code(kept.status)
      .header("idempotency-replayed", "true")
      .type(kept.status >= 400 ? problemContentType : "application/json; charset=utf-8")
      .send(Buffer.from(kept.body));
  });

  app.addHook("onSend", async (request, reply, payload) => {
    const { once, caller } = request;
    const isFirst = once !== null && caller?.once !== undefined;
    if (isFirst && isKept(reply) && lengthOf(payload) <= keptLengthMax) {
      try {
        await answers.keep(once, reply.statusCode, withoutToken(payload));
      } catch (error) {
        logFault(request, error, "the answer could not be kept");
      }
    }
    return payload;
  });

  app.addHook("onResponse", async (request) => {
    if (request.once !== null) running.delete(nameOf(request.once));
  });
}

function onceOf(request: FastifyRequest): Once | undefined {
  const given = request.headers["idempotency-key"];
  const keyId = request.caller?.key?.id;
  if (request.method !== "POST" || given === undefined || keyId === undefined) return undefined;
  if (typeof given !== "string" || !keyPattern.test(given)) {
    throw new Refused(malformed("An Idempotency-Key is 1 to 255 printable characters without spaces."));
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

function nameOf({ keyId, call, idempotencyKey }: Once): string {
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

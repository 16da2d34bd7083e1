import type { FastifyReply } from "fastify";
import { withoutTokens } from "../../core/values/mask-tokens.ts";
import {
  isRefusal,
  refusalStatus,
  refuse,
  type FieldProblem,
  type Refusal,
  type RefusalCode,
} from "../../core/values/refusals.ts";
import { STATUS_CODES } from "./node-http-tables.ts";

/** Problem codes that are no refusals: the fault is in the service or the connection, not in the request. */
const faultStatus = { internal: 500, not_ready: 503, request_timeout: 408, header_too_large: 431 } as const;

export type ProblemCode = RefusalCode | keyof typeof faultStatus;
const statusOfCode: { readonly [Code in ProblemCode]: number } = { ...refusalStatus, ...faultStatus };

/** RFC 9457, with our stable `code`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  readonly errors?: readonly FieldProblem[];
  readonly existing?: string;
  /** For `not_ready`: every check with its state. */
  readonly checks?: Readonly<Record<string, unknown>>;
}

export const problemContentType = "application/problem+json";

declare module "fastify" {
  interface FastifyReply {
    /** The code of the problem sent as this response; null for any other response. */
    problemCode: ProblemCode | null;
  }
}

/** Carries a refusal out of a handler. A refusal is a regular response, not a fault. */
export class RefusalError extends Error {
  override readonly name = "RefusalError";
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.refused);
    this.refusal = refusal;
  }
}

/** Unwraps the result of a service. @throws RefusalError when the service refused */
export function valueOrThrow<T>(result: T | Refusal): T {
  if (isRefusal(result)) throw new RefusalError(result);
  return result;
}

export function problem(
  code: ProblemCode,
  detail: string,
  extra: Pick<Problem, "errors" | "existing" | "checks"> = {},
): Problem {
  const title = code.replaceAll("_", " ");
  return {
    type: `urn:jit-access:problem:${code}`,
    title: `${title.charAt(0).toUpperCase()}${title.slice(1)}`,
    status: statusOfCode[code],
    detail,
    code,
    ...extra,
  };
}

/** The problem for a refusal. Tokens are masked, because a refusal may quote the caller's input. */
export function problemOf(refusal: Refusal): Problem {
  const { refused, detail, errors, existing } = withoutTokens(refusal);
  return problem(refused, detail, {
    ...(errors !== undefined && { errors }),
    ...(existing !== undefined && { existing }),
  });
}

/** Sends a refusal, independent of the route's own response schema. */
export function sendRefusal(reply: FastifyReply, refusal: Refusal): FastifyReply {
  if (refusal.refused === "unauthenticated") reply.header("www-authenticate", "Bearer");
  if (refusal.retryAfterSeconds !== undefined) {
    reply.header("retry-after", String(Math.max(1, Math.ceil(refusal.retryAfterSeconds))));
  }
  return sendProblem(reply, problemOf(refusal));
}

/** Sends bytes, so that Fastify applies no response schema and adds no charset, which this media type does not have. */
export function sendProblem(reply: FastifyReply, body: Problem): FastifyReply {
  reply.problemCode = body.code;
  return reply
    .code(body.status)
    .header("cache-control", "no-store")
    .header("x-content-type-options", "nosniff")
    .type(problemContentType)
    .send(Buffer.from(JSON.stringify(body)));
}

/** A complete HTTP/1.1 response, for a connection on which no request was parsed. */
export function rawProblem(body: Problem): string {
  const text = JSON.stringify(body);
  return [
    `HTTP/1.1 ${body.status} ${STATUS_CODES[body.status] ?? "Error"}`,
    "Connection: close",
    "Cache-Control: no-store",
    `Content-Type: ${problemContentType}`,
    `Content-Length: ${Buffer.byteLength(text)}`,
    "",
    text,
  ].join("\r\n");
}

export const malformed = (detail: string): Refusal => refuse("malformed", detail);

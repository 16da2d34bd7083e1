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

/** Codes of our own besides the refusals: what went wrong is not what was asked for. */
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
  /** `not_ready`: what is missing. */
  readonly checks?: Readonly<Record<string, unknown>>;
}

export const problemContentType = "application/problem+json";

declare module "fastify" {
  interface FastifyReply {
    /** The code of the problem this answer is; null when it is none. */
    problemCode: ProblemCode | null;
  }
}

/** A refusal on its way out of a handler. Nothing has gone wrong; it is an answer. */
export class RefusalError extends Error {
  override readonly name = "RefusalError";
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.refused);
    this.refusal = refusal;
  }
}

/** What a service gave, unless it refused. @throws Refused */
export function valueOrThrow<T>(outcome: T | Refusal): T {
  if (isRefusal(outcome)) throw new RefusalError(outcome);
  return outcome;
}

export function problem(
  code: ProblemCode,
  detail: string,
  more: Pick<Problem, "errors" | "existing" | "checks"> = {},
): Problem {
  const words = code.replaceAll("_", " ");
  return {
    type: `urn:jit-access:problem:${code}`,
    title: `${words.charAt(0).toUpperCase()}${words.slice(1)}`,
    status: statusOfCode[code],
    detail,
    code,
    ...more,
  };
}

/** What was sent is named back without any token in it. */
export function problemOf(refusal: Refusal): Problem {
  const { refused, detail, errors, existing } = withoutTokens(refusal);
  return problem(refused, detail, {
    ...(errors !== undefined && { errors }),
    ...(existing !== undefined && { existing }),
  });
}

/** Answers with a refusal, whatever the route's own answers look like. */
export function sendRefusal(reply: FastifyReply, refusal: Refusal): FastifyReply {
  if (refusal.refused === "unauthenticated") reply.header("www-authenticate", "Bearer");
  if (refusal.retryAfterSeconds !== undefined) {
    reply.header("retry-after", String(Math.max(1, Math.ceil(refusal.retryAfterSeconds))));
  }
  return sendProblem(reply, problemOf(refusal));
}

/** Bytes, so that no schema of the route is applied to them and no charset is added, which this type does not have. */
export function sendProblem(reply: FastifyReply, body: Problem): FastifyReply {
  reply.problemCode = body.code;
  return reply
    .code(body.status)
    .header("cache-control", "no-store")
    .header("x-content-type-options", "nosniff")
    .type(problemContentType)
    .send(Buffer.from(JSON.stringify(body)));
}

/** A whole HTTP/1.1 answer, for a connection that never became a request. */
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

import { problem } from "./api-schemas.ts";
import type { ExitName } from "../io/exit-codes.ts";
import { Failure } from "../io/failure.ts";
import { connectionFailure, retryAfterMs, type CallFailure } from "./retry.ts";

/** One call, which may be tried several times. */
export interface Call {
  readonly method: string;
  readonly url: string;
  /** The service as the user names it in `JIT_URL`. */
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** A successful response. */
export interface ApiResponse {
  readonly status: number;
  readonly headers: Headers;
  /** The unchanged body. */
  readonly text: string;
  readonly json: unknown;
}

export type CallAttempt<T> = { readonly value: T } | CallFailure;

/** Far more than a page of any list. */
const responseLengthMax = 32 * 1024 * 1024;

/** Tries a call once. `attempt` counts from 1. @throws the reason of `call.signal` */
export async function tryCall(
  call: Call,
  attempt: number,
  now: () => number,
): Promise<CallAttempt<ApiResponse>> {
  const timeout = AbortSignal.timeout(call.timeoutMs);
  try {
    const response = await send(call, timeout);
    const text = await textOf(call, response);
    if (!response.ok) return refusal(call, response, text, attempt, now());
    const json = jsonOf(text);
    if (json === undefined) return { failure: notOurs(call, "answers without JSON"), retry: "never" };
    return { value: { status: response.status, headers: response.headers, text, json } };
  } catch (error) {
    return callFailure(call, error);
  }
}

/** Tries a call whose body is streamed. The timeout applies to the headers only, because the body may be long. */
export async function tryStream(
  call: Call,
  attempt: number,
  now: () => number,
): Promise<CallAttempt<AsyncIterable<Uint8Array>>> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(new DOMException("too slow", "TimeoutError")), call.timeoutMs);
  try {
    const response = await send(call, timeout.signal);
    clearTimeout(timer);
    if (!response.ok) return refusal(call, response, await textOf(call, response), attempt, now());
    return { value: chunksOf(call, response) };
  } catch (error) {
    return callFailure(call, error);
  } finally {
    clearTimeout(timer);
  }
}

async function send({ url, method, headers, body, signal }: Call, timeout: AbortSignal): Promise<Response> {
  return fetch(url, {
    method,
    headers,
    // Following a redirect would send the key to its target.
    redirect: "manual",
    signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    ...(body !== undefined && { body }),
  });
}

async function* chunksOf(call: Call, { body }: Response): AsyncGenerator<Uint8Array> {
  try {
    if (body !== null) yield* body;
  } catch (error) {
    throw connectionFailure(error, call.origin).failure;
  }
}

async function textOf(call: Call, { body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > responseLengthMax) throw notOurs(call, "answers without end");
  }
  return text + decoder.decode();
}

function callFailure({ signal, origin }: Call, error: unknown): CallFailure {
  signal?.throwIfAborted();
  return error instanceof Failure ? { failure: error, retry: "never" } : connectionFailure(error, origin);
}

function refusal(
  call: Call,
  { status, headers }: Response,
  text: string,
  attempt: number,
  now: number,
): CallFailure {
  const afterMs = retryAfterMs(headers.get("retry-after"), now);
  const parsed = problem.safeParse(jsonOf(text));
  const failure = parsed.success ? failureOf(status, parsed.data, text) : unexplained(call, status, headers);
  const isRunning = parsed.success && parsed.data.code === "idempotency_running" && attempt > 1;
  const isNotDone = status === 503 || status === 429 || isRunning;
  const retry = isNotDone ? "notDone" : status === 502 || status === 504 ? "sent" : "never";
  return { failure, retry, ...(afterMs !== undefined && isNotDone && { afterMs }) };
}

function failureOf(
  status: number,
  {
    code,
    detail,
    errors = [],
  }: { code: string; detail: string; errors?: { path: string; message: string }[] | undefined },
  text: string,
): Failure {
  const fields = errors.map(({ path, message }) => (path === "" ? message : `${path} ${message}`)).join("; ");
  const summary = fields === "" ? detail : `${detail.replace(/\.$/, "")}: ${fields}.`;
  const hint = status === 401 ? " Check JIT_KEY or --key-file." : "";
  return new Failure(exitOf(status, code), code, summary + hint, text);
}

function exitOf(status: number, code: string): ExitName {
  if (status === 401) return "unauthenticated";
  if (status === 404 || code === "identity_unknown") return "notFound";
  return status >= 500 ? "unreachable" : "refused";
}

/** The failure for a response that is no problem document: it comes from another service or a proxy. */
function unexplained(call: Call, status: number, headers: Headers): Failure {
  if (status >= 300 && status < 400) {
    return notOurs(call, `redirects to ${headers.get("location") ?? "another address"}`);
  }
  if (status >= 500) {
    const detail = `${call.origin} answered ${status}; try again, or check the service.`;
    return new Failure("unreachable", "unreachable", detail);
  }
  return notOurs(call, `answers ${status} without saying why`);
}

function notOurs({ origin }: Call, what: string): Failure {
  return new Failure("unreachable", "bad_answer", `${origin} ${what}; set JIT_URL to where the service is.`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

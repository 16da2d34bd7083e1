import { problem } from "./api-schemas.ts";
import type { ExitName } from "../io/exit-codes.ts";
import { Failure } from "../io/failure.ts";
import { connectionFailure, retryAfterMs, type CallFailure } from "./retry.ts";

/** One call, ready to be tried as often as it takes. */
export interface Call {
  readonly method: string;
  readonly url: string;
  /** What the operator calls the service: `JIT_URL`. */
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** An answer that is no refusal. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** As it came. */
  readonly text: string;
  readonly json: unknown;
}

export type CallAttempt<T> = { readonly got: T } | CallFailure;

/** Far more than a page of any list. */
const answerLengthMax = 32 * 1024 * 1024;

/** `attempt`: from 1. @throws what ended `call.signal`. */
export async function tryCall(call: Call, attempt: number, now: () => number): Promise<CallAttempt<Answer>> {
  const late = AbortSignal.timeout(call.timeoutMs);
  try {
    const response = await send(call, late);
    const text = await textOf(call, response);
    if (!response.ok) return refusal(call, response, text, attempt, now());
    const json = jsonOf(text);
    if (json === undefined) return { failure: notOurs(call, "answers with something else"), retry: "never" };
    return { got: { status: response.status, headers: response.headers, text, json } };
  } catch (error) {
    return callFailure(call, error);
  }
}

/** Only the beginning of the answer has to come in time; the rest takes as long as it is long. */
export async function tryStream(
  call: Call,
  attempt: number,
  now: () => number,
): Promise<CallAttempt<AsyncIterable<Uint8Array>>> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new DOMException("too slow", "TimeoutError")), call.timeoutMs);
  try {
    const response = await send(call, late.signal);
    clearTimeout(timer);
    if (!response.ok) return refusal(call, response, await textOf(call, response), attempt, now());
    return { got: pieces(call, response) };
  } catch (error) {
    return callFailure(call, error);
  } finally {
    clearTimeout(timer);
  }
}

async function send({ url, method, headers, body, signal }: Call, late: AbortSignal): Promise<Response> {
  return fetch(url, {
    method,
    headers,
    // A redirect would carry the key to wherever it points.
    redirect: "manual",
    signal: signal === undefined ? late : AbortSignal.any([late, signal]),
    ...(body !== undefined && { body }),
  });
}

async function* pieces(call: Call, { body }: Response): AsyncGenerator<Uint8Array> {
  try {
    if (body !== null) yield* body;
  } catch (error) {
    throw connectionFailure(error, call.origin).failure;
  }
}

async function textOf(call: Call, { body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of body ?? []) {
    text += decoder.decode(piece, { stream: true });
    if (text.length > answerLengthMax) throw notOurs(call, "answers without end");
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

/** Not a problem document: something else answers, or stands in between. */
function unexplained(call: Call, status: number, headers: Headers): Failure {
  if (status >= 300 && status < 400) {
    return notOurs(call, `sends us on to ${headers.get("location") ?? "somewhere else"}`);
  }
  if (status >= 500) {
    const detail = `${call.origin} is in trouble and answers ${status}; try again, or look at the service.`;
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

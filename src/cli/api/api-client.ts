import { randomUUID } from "node:crypto";
import { tryCall, tryStream, type ApiResponse, type CallAttempt, type Call } from "./http-calls.ts";
import type { CliIo } from "../io/cli-io.ts";
import { pauseBeforeRetry, type CallFailure } from "./retry.ts";
import { safeNote } from "../io/safe-text.ts";
import type { Settings } from "../io/settings.ts";
import { roughDuration } from "../io/format-time.ts";

export interface CallOptions {
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent instead of the API key. */
  readonly bearer?: string;
  /** Added to the timeout of this call. */
  readonly extraMs?: number;
  /** Aborts the call; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** Prints nothing about retries. */
  readonly isQuiet?: boolean;
}

/**
 * The API over HTTP. Transient failures are retried a limited number of times. Every POST carries an Idempotency-Key, so
 * that a call whose response got lost is not done twice. Every error is thrown as a Failure.
 */
export interface Api {
  get(path: string, options?: CallOptions): Promise<ApiResponse>;
  post(path: string, body: object, options?: CallOptions): Promise<ApiResponse>;
  /** Sets the given fields. It is idempotent, so it is retried too. */
  patch(path: string, body: object): Promise<ApiResponse>;
  remove(path: string): Promise<ApiResponse>;
  /** The body of a GET in chunks. */
  stream(path: string, query: CallOptions["query"]): Promise<AsyncIterable<Uint8Array>>;
}

/** Creates a client for the API below `/api/v1`. */
export function createApi(settings: Settings, io: CliIo): Api {
  const callOf = (method: string, path: string, options: CallOptions, body?: object): Call => ({
    origin: settings.url,
    method,
    url: `${settings.url}/api/v1${path}${queryText(options.query)}`,
    headers: {
      accept: "application/json",
      authorization: `Bearer ${options.bearer ?? settings.key}`,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(method === "POST" && { "idempotency-key": randomUUID() }),
      ...options.headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    timeoutMs: io.timeoutMs + (options.extraMs ?? 0),
    ...(options.signal !== undefined && { signal: options.signal }),
  });
  const send = async (call: Call, { isQuiet = false }: CallOptions = {}): Promise<ApiResponse> =>
    withRetries(call, { ...io, ...(isQuiet && { err: () => {} }) }, (attempt) =>
      tryCall(call, attempt, io.now),
    );
  return {
    get: (path, options = {}) => send(callOf("GET", path, options), options),
    post: (path, body, options = {}) => send(callOf("POST", path, options, body), options),
    patch: (path, body) => send(callOf("PATCH", path, {}, body)),
    remove: (path) => send(callOf("DELETE", path, {})),
    stream: async (path, query) => {
      const call = callOf("GET", path, { ...(query !== undefined && { query }) });
      return withRetries(call, io, (attempt) => tryStream(call, attempt, io.now));
    },
  };
}

async function withRetries<T>(
  call: Call,
  io: CliIo,
  tryOnce: (attempt: number) => Promise<CallAttempt<T>>,
): Promise<T> {
  const begun = io.now();
  for (let attempt = 1; ; attempt++) {
    call.signal?.throwIfAborted();
    const tried = await tryOnce(attempt);
    if ("value" in tried) return tried.value;
    const elapsedMs = io.now() - begun;
    const tries = { attempt, elapsedMs, isRepeatable: call.method !== "DELETE" };
    const pauseMs = pauseBeforeRetry(tried, tries, Math.random());
    if (pauseMs === undefined) throw tried.failure;
    if (pauseMs >= notedPauseMs) noteRetry(io, tried, pauseMs);
    await io.pause(pauseMs, call.signal);
  }
}

/** Shorter pauses are not reported, because they are over before anybody reads about them. */
const notedPauseMs = 1_000;

function noteRetry(io: CliIo, { failure }: CallFailure, pauseMs: number): void {
  io.err(`jit: ${safeNote(failure.message)} Trying again in ${roughDuration(pauseMs)}.\n`);
}

function queryText(query: CallOptions["query"] = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as [string, string]],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
}

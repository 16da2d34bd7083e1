import { randomUUID } from "node:crypto";
import { tryCall, tryStream, type Answer, type CallAttempt, type Call } from "./http-calls.ts";
import type { CliIo } from "../io/cli-io.ts";
import { pauseBeforeRetry, type CallFailure } from "./retry.ts";
import { safeNote } from "../io/safe-text.ts";
import type { Settings } from "../io/settings.ts";
import { roughDuration } from "../io/format-time.ts";

export interface CallOptions {
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of the API key. */
  readonly bearer?: string;
  /** How much longer than others this call may take. */
  readonly extraMs?: number;
  /** Ends the call; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** Says nothing about retries. */
  readonly isQuiet?: boolean;
}

/**
 * The API over HTTP. Calls that fail for a while are repeated, a bounded number of times; every POST carries an
 * Idempotency-Key, so that one whose answer got lost is not done twice. Whatever goes wrong is thrown as a Failure.
 */
export interface Api {
  get(path: string, options?: CallOptions): Promise<Answer>;
  post(path: string, body: object, options?: CallOptions): Promise<Answer>;
  /** Sets what it names, so that doing it twice is doing it once. */
  patch(path: string, body: object): Promise<Answer>;
  remove(path: string): Promise<Answer>;
  /** The body of a GET, piece by piece. */
  stream(path: string, query: CallOptions["query"]): Promise<AsyncIterable<Uint8Array>>;
}

/** Below `/api/v1` of the service. */
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
  const answered = async (call: Call, { isQuiet = false }: CallOptions = {}): Promise<Answer> =>
    repeated(call, { ...io, ...(isQuiet && { err: () => {} }) }, (attempt) => tryCall(call, attempt, io.now));
  return {
    get: (path, options = {}) => answered(callOf("GET", path, options), options),
    post: (path, body, options = {}) => answered(callOf("POST", path, options, body), options),
    patch: (path, body) => answered(callOf("PATCH", path, {}, body)),
    remove: (path) => answered(callOf("DELETE", path, {})),
    stream: async (path, query) => {
      const call = callOf("GET", path, { ...(query !== undefined && { query }) });
      return repeated(call, io, (attempt) => tryStream(call, attempt, io.now));
    },
  };
}

async function repeated<T>(
  call: Call,
  io: CliIo,
  once: (attempt: number) => Promise<CallAttempt<T>>,
): Promise<T> {
  const begun = io.now();
  for (let attempt = 1; ; attempt++) {
    call.signal?.throwIfAborted();
    const tried = await once(attempt);
    if ("got" in tried) return tried.got;
    const elapsedMs = io.now() - begun;
    const tries = { attempt, elapsedMs, isRepeatable: call.method !== "DELETE" };
    const pauseMs = pauseBeforeRetry(tried, tries, Math.random());
    if (pauseMs === undefined) throw tried.failure;
    if (pauseMs >= notedPauseMs) sayTryingAgain(io, tried, pauseMs);
    await io.pause(pauseMs, call.signal);
  }
}

/** A shorter pause is over before anybody has read about it. */
const notedPauseMs = 1_000;

function sayTryingAgain(io: CliIo, { failure }: CallFailure, pauseMs: number): void {
  io.err(`jit: ${safeNote(failure.message)} Trying again in ${roughDuration(pauseMs)}.\n`);
}

function queryText(query: CallOptions["query"] = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as [string, string]],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
}

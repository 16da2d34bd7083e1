import { formatDuration, minuteMs, secondMs } from "../../core/values/time.ts";
import { accessRequest, readAs, type AccessRequest } from "../api/api-schemas.ts";
import type { ApiResponse } from "../api/http-calls.ts";
import { exitCodes } from "../io/exit-codes.ts";
import { Failure } from "../io/failure.ts";
import type { Session } from "../api/session.ts";

/** The state of a request at one moment. */
export interface RequestSnapshot {
  readonly response: ApiResponse;
  readonly request: AccessRequest;
}

export interface WaitOptions {
  /** Ends the wait when it returns true. */
  readonly until: (request: AccessRequest) => boolean;
  /** Absent: no limit. */
  readonly timeoutMs?: number;
  /** Called for each new state, including the first. */
  readonly onChange?: (snapshot: RequestSnapshot) => void;
  /** Ends the wait; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** How long the service may be unreachable meanwhile; absent: 5 minutes. */
  readonly outageMs?: number;
  /** Prints nothing about an unreachable service. */
  readonly isQuiet?: boolean;
}

/** The service responds to a long poll after this time at the latest. */
const longPollMs = 30 * secondMs;
const pollMs = 3 * secondMs;
/** After so many broken long polls, assume that a proxy does not allow them. */
const brokenLongPollsMax = 2;

/**
 * Reads a request until `until` holds, by long polls, or by polling every few seconds where long polls do not work. It
 * also waits while the service is unreachable. Returns undefined when `timeoutMs` passed first.
 */
export async function waitFor(
  session: Session,
  id: string,
  options: WaitOptions,
): Promise<RequestSnapshot | undefined> {
  const { io } = session;
  const {
    until,
    timeoutMs = Number.POSITIVE_INFINITY,
    onChange,
    signal,
    outageMs = 5 * minuteMs,
    isQuiet = false,
  } = options;
  const end = io.now() + timeoutMs;
  let tag: string | undefined;
  let isLong = false;
  let brokenLongPolls = 0;
  let unreachableSince: number | undefined;
  for (;;) {
    const begun = io.now();
    const waitMs = isLong ? Math.min(longPollMs, end - begun) : 0;
    const isPoll = waitMs >= secondMs;
    try {
      const snapshot = await readRequest(session, id, {
        waitMs: isPoll ? waitMs : 0,
        ...(tag !== undefined && { tag }),
        ...(signal !== undefined && { signal }),
        isQuiet: isQuiet || tag !== undefined,
      });
      const newTag = snapshot.response.headers.get("etag") ?? JSON.stringify(snapshot.request);
      unreachableSince = undefined;
      if (newTag !== tag) onChange?.(snapshot);
      if (until(snapshot.request)) return snapshot;
      if (io.now() >= end) return undefined;
      const isTooSoon = newTag === tag && io.now() - begun < pollMs;
      if (!isLong || isTooSoon) {
        const isFirst = tag === undefined;
        isLong = brokenLongPolls < brokenLongPollsMax;
        if (!isFirst || !isLong) await io.pause(Math.min(pollMs, end - io.now()), signal);
      }
      tag = newTag;
    } catch (error) {
      if (tag === undefined || !isTransient(error)) throw error;
      if (isPoll) brokenLongPolls++;
      isLong = false;
      unreachableSince ??= begun;
      if (io.now() - unreachableSince > outageMs) throw error;
      if (io.now() >= end) return undefined;
      await io.pause(Math.min(secondMs, Math.max(0, end - io.now())), signal);
    }
  }
}

export function isDecided({ status }: AccessRequest): boolean {
  return status !== "PENDING";
}

/** Whether the request was granted: approved, active, or an extension that was added to its parent. */
export function isGranted({ status, extends: parent }: AccessRequest): boolean {
  return status === "APPROVED" || status === "ACTIVE" || (status === "COMPLETED" && parent !== null);
}

interface ReadOptions {
  /** 0 reads without waiting. */
  readonly waitMs: number;
  /** The entity tag of the known state. */
  readonly tag?: string;
  readonly signal?: AbortSignal;
  readonly isQuiet: boolean;
}

async function readRequest(
  { api }: Session,
  id: string,
  { waitMs, tag, signal, isQuiet }: ReadOptions,
): Promise<RequestSnapshot> {
  const isKnown = waitMs > 0 && tag?.startsWith('"') === true;
  const response = await api.get(requestPath(id), {
    ...(waitMs > 0 && { query: { wait: formatDuration(waitMs) } }),
    ...(isKnown && { headers: { "if-none-match": tag } }),
    extraMs: waitMs,
    ...(signal !== undefined && { signal }),
    isQuiet,
  });
  return { response, request: readAs(accessRequest, response) };
}

/** The path of a request, `/credentials/jit/{id}`, or of a verb on it. */
export function requestPath(id: string, verb?: string): string {
  return `/credentials/jit/${encodeURIComponent(id)}${verb === undefined ? "" : `/${verb}`}`;
}

/** Whether a failure may pass: the service is unreachable or limits us, or does not support long polls. */
export function isTransient(error: unknown): boolean {
  return (
    error instanceof Failure &&
    (error.exitCode === exitCodes.unreachable.code ||
      error.code === "invalid_body" ||
      error.code === "rate_limited")
  );
}

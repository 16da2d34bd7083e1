import { formatDuration, minuteMs, secondMs } from "../../core/values/time.ts";
import { accessRequest, readAs, type AccessRequest } from "../api/api-schemas.ts";
import type { Answer } from "../api/http-calls.ts";
import { exitCodes } from "../io/exit-codes.ts";
import { Failure } from "../io/failure.ts";
import type { Session } from "../api/session.ts";

/** A request as it read at one moment. */
export interface RequestSnapshot {
  readonly answer: Answer;
  readonly request: AccessRequest;
}

export interface WaitOptions {
  /** What is waited for. */
  readonly until: (request: AccessRequest) => boolean;
  /** Absent: for ever. */
  readonly timeoutMs?: number;
  /** Told of every state that is new, the first one included. */
  readonly onChange?: (snapshot: RequestSnapshot) => void;
  /** Ends the wait; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** How long the service may be away in the meantime; absent: 5 minutes. */
  readonly outageMs?: number;
  /** Says nothing about a service that is away. */
  readonly isQuiet?: boolean;
}

/** The service answers a waiting reader after this long at the latest. */
const longPollMs = 30 * secondMs;
const pollMs = 3 * secondMs;
/** After so many long polls that broke off, something in between does not let them live. */
const brokenLongPollsMax = 2;

/**
 * Reads a request until it is as wanted: by long polls, or, where these do not work, by looking every few seconds. A
 * service that is away for a while is waited for as well. Undefined when `timeoutMs` passed first.
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
  let awaySince: number | undefined;
  for (;;) {
    const begun = io.now();
    const waitMs = isLong ? Math.min(longPollMs, end - begun) : 0;
    const isPoll = waitMs >= secondMs;
    try {
      const snapshot = await look(session, id, {
        waitMs: isPoll ? waitMs : 0,
        ...(tag !== undefined && { tag }),
        ...(signal !== undefined && { signal }),
        isQuiet: isQuiet || tag !== undefined,
      });
      const newTag = snapshot.answer.headers.get("etag") ?? JSON.stringify(snapshot.request);
      awaySince = undefined;
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
      if (tag === undefined || !mayPass(error)) throw error;
      if (isPoll) brokenLongPolls++;
      isLong = false;
      awaySince ??= begun;
      if (io.now() - awaySince > outageMs) throw error;
      if (io.now() >= end) return undefined;
      await io.pause(Math.min(secondMs, Math.max(0, end - io.now())), signal);
    }
  }
}

/** How a wait for a decision came out. */
export function isDecided({ status }: AccessRequest): boolean {
  return status !== "PENDING";
}

/** Whether there is access to be had: approved, running, or, of an extension, added. */
export function isGiven({ status, extends: parent }: AccessRequest): boolean {
  return status === "APPROVED" || status === "ACTIVE" || (status === "COMPLETED" && parent !== null);
}

interface Look {
  /** 0: do not wait. */
  readonly waitMs: number;
  /** Of the state that is known already. */
  readonly tag?: string;
  readonly signal?: AbortSignal;
  readonly isQuiet: boolean;
}

async function look(
  { api }: Session,
  id: string,
  { waitMs, tag, signal, isQuiet }: Look,
): Promise<RequestSnapshot> {
  const isKnown = waitMs > 0 && tag?.startsWith('"') === true;
  const answer = await api.get(requestPath(id), {
    ...(waitMs > 0 && { query: { wait: formatDuration(waitMs) } }),
    ...(isKnown && { headers: { "if-none-match": tag } }),
    extraMs: waitMs,
    ...(signal !== undefined && { signal }),
    isQuiet,
  });
  return { answer, request: readAs(accessRequest, answer) };
}

/** `/credentials/jit/{id}`, and a verb of it. */
export function requestPath(id: string, verb?: string): string {
  return `/credentials/jit/${encodeURIComponent(id)}${verb === undefined ? "" : `/${verb}`}`;
}

/** A service that is away, or one that does not know how to let somebody wait. */
export function mayPass(error: unknown): boolean {
  return (
    error instanceof Failure &&
    (error.exitCode === exitCodes.unreachable.code ||
      error.code === "invalid_body" ||
      error.code === "rate_limited")
  );
}

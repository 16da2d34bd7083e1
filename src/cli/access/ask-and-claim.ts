import { secondMs } from "../../core/values/time.ts";
import { accessRequest, readAs, type AccessRequest } from "../api/api-schemas.ts";
import type { ApiResponse } from "../api/http-calls.ts";
import { Failure } from "../io/failure.ts";
import { progressText } from "../views/request-view.ts";
import type { Session } from "../api/session.ts";
import {
  isDecided,
  isGranted,
  requestPath,
  waitFor,
  type RequestSnapshot,
  type WaitOptions,
} from "./wait.ts";

/** The request to submit, as written on the command line. */
export interface RequestOptions {
  readonly scopes: readonly string[];
  readonly duration: string;
  readonly reason: string;
  readonly ticket?: string;
  readonly breakGlass?: boolean;
  /** The requester; absent: the caller. */
  readonly identityId?: string;
}

/** The body of a request, for `POST /credentials/jit` and for the dry run. */
export async function askBody(
  session: Session,
  wanted: RequestOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const { scopes, duration, reason, ticket, breakGlass } = wanted;
  return {
    identityId: wanted.identityId ?? (await session.me()),
    reason,
    scopes,
    duration,
    ...(ticket !== undefined && { ticket }),
    ...(breakGlass === true && { breakGlass }),
  };
}

/** Submits a request. If the response with the token got lost, the token is replaced. */
export async function ask(session: Session, wanted: RequestOptions): Promise<RequestSnapshot> {
  const body = await askBody(session, wanted);
  return withToken(session, await session.api.post("/credentials/jit", body));
}

/** The body of a claim or a rotation: a public key, for targets reached by SSH. */
export interface ClaimBody {
  readonly sshPublicKey?: string;
}

/** Starts the access. While targets are being prepared, it claims again. */
export async function claim(session: Session, id: string, body: ClaimBody = {}): Promise<RequestSnapshot> {
  for (let tries = 1; ; tries++) {
    const response = await session.api.post(requestPath(id, "claim"), body);
    if (response.status !== 202) return withToken(session, response, body);
    if (tries >= claimTriesMax) {
      throw new Failure("unreachable", "not_ready", `${id} is still being prepared; claim it again later.`);
    }
    if (tries === 1) session.note(`${id} is being prepared.`);
    await session.io.pause(claimPauseMs);
  }
}

/** Ten minutes in total, because prepared access that is not claimed by then is taken back. */
const claimTriesMax = 300;
const claimPauseMs = 2 * secondMs;

/** Replaces the token and the secrets of its targets. The old ones stop working immediately. */
export async function rotate(session: Session, id: string, body: ClaimBody = {}): Promise<RequestSnapshot> {
  const response = await session.api.post(requestPath(id, "rotate"), body);
  return withToken(session, response, body);
}

export interface DecisionOptions extends Omit<WaitOptions, "until" | "onChange"> {
  /** What to do when nobody decided in time. It completes the sentence of the failure. */
  readonly advice?: string;
}

/**
 * Waits until the request is decided. @throws Failure `waitedTooLong` after `timeoutMs`; `ended` when it was denied or the
 * access has ended
 */
export async function waitForDecision(
  session: Session,
  id: string,
  { advice = `${session.command(`status ${id}`)} shows whom to remind`, ...options }: DecisionOptions = {},
): Promise<RequestSnapshot> {
  let last: RequestSnapshot | undefined;
  const snapshot = await waitFor(session, id, {
    until: isDecided,
    onChange: (now) => {
      last = now;
      // A denial is reported once, by the failure below.
      if (!isDecided(now.request) || isGranted(now.request)) session.note(progressText(now.request));
    },
    ...options,
  });
  if (snapshot === undefined) {
    const detail = `Nobody has decided ${id} in time; ${advice}.`;
    throw new Failure("waitedTooLong", "wait_timed_out", detail, last?.response.text);
  }
  if (!isGranted(snapshot.request)) throw notGranted(session, snapshot.request, snapshot.response);
  return snapshot;
}

function notGranted(
  session: Session,
  { id, status, endReason }: AccessRequest,
  { text }: ApiResponse,
): Failure {
  const because = endReason === null ? "" : `: ${endReason}`;
  const detail = `${id} is ${status}${because}; see ${session.command(`status ${id}`)}, or ask again.`;
  return new Failure("ended", status.toLowerCase(), detail, text);
}

async function withToken(
  session: Session,
  response: ApiResponse,
  claimBody: ClaimBody = {},
): Promise<RequestSnapshot> {
  const request = readAs(accessRequest, response);
  if (request.credential?.tokenShown !== true) return { response, request };
  session.note(`The response with the token of ${request.id} got lost; the token is replaced.`);
  return rotate(session, request.id, claimBody);
}

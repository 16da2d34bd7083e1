import { backOffMs } from "../../../core/values/back-off.ts";
import { minuteMs } from "../../../core/values/time.ts";
import { slackErrorOf } from "./delivery-faults.ts";
import type { SlackLog } from "./settings.ts";

const retryMaxMs = minuteMs;
/** A connection that was lost sooner than this counts as a failure, however it began. */
const lastingMs = minuteMs;

/** Connects in the background and again whenever the connection is lost, as often as it takes. */
export interface ReconnectLoop {
  /** Also to be called when the connection is lost; while it is at it already, nothing more happens. */
  start(): void;
  stop(): void;
}

export interface ReconnectLoopOptions {
  /** Milliseconds of any clock that goes on. */
  readonly now?: () => number;
  /** 0 to 1: spreads the attempts of those that were disconnected together. */
  readonly random?: () => number;
  /** Waits, no longer than until the signal is aborted. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Tries until it succeeds or is stopped, and says why it does not. From the first failure on it waits about 1 s, 2 s,
 * 4 s … up to a minute; a connection that does not last a minute is a failure too, so that one that is made and dropped
 * at once is not made again without end.
 */
export function createReconnectLoop(
  connect: () => Promise<void>,
  log: SlackLog,
  { now = () => performance.now(), random = Math.random, pause = waitFor }: ReconnectLoopOptions = {},
): ReconnectLoop {
  const stopped = new AbortController();
  let isTrying = false;
  let failures = 0;
  let connectedAt: number | undefined;
  const untilDone = async (): Promise<void> => {
    isTrying = true;
    if (connectedAt !== undefined) failures = now() - connectedAt < lastingMs ? failures + 1 : 0;
    while (!stopped.signal.aborted) {
      await pause(backOffMs(failures, retryMaxMs, random()), stopped.signal);
      if (stopped.signal.aborted) break;
      try {
        await connect();
        connectedAt = now();
        break;
      } catch (error) {
        failures++;
        const code = (error instanceof NotConnected ? error.code : slackErrorOf(error)) ?? "unreachable";
        log.warn({ code, hint: hints.get(code) ?? "it is tried again" }, "slack: not connected");
      }
    }
    isTrying = false;
  };
  return {
    start: () => {
      if (!isTrying && !stopped.signal.aborted) void untilDone();
    },
    stop: () => stopped.abort(),
  };
}

/** Slack answered, and still we are not where we want to be. */
export class NotConnected extends Error {
  override readonly name = "NotConnected";
  readonly code: "another_workspace" | "no_greeting" | "no_team";

  constructor(code: NotConnected["code"]) {
    super(code);
    this.code = code;
  }
}

const badToken =
  "SLACK_BOT_TOKEN or SLACK_APP_TOKEN is not valid: install the app again and copy the new token";

/** What the operator can do about it. */
const hints: ReadonlyMap<string, string> = new Map([
  ["unreachable", "Slack cannot be reached from here; it is tried again"],
  ["invalid_auth", badToken],
  ["account_inactive", badToken],
  ["token_revoked", badToken],
  [
    "not_allowed_token_type",
    "SLACK_BOT_TOKEN begins with xoxb-, SLACK_APP_TOKEN with xapp-: are they swapped?",
  ],
  ["missing_scope", "the app lacks a scope: update it from the manifest"],
  [
    "another_workspace",
    "SLACK_BOT_TOKEN belongs to another workspace than SLACK_TEAM_ID names: nothing is taken from it",
  ],
]);

async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  if (ms === 0 || signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}

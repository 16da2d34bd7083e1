import { backOffMs } from "../../../core/values/back-off.ts";
import { minuteMs } from "../../../core/values/time.ts";
import { slackErrorOf } from "./delivery-faults.ts";
import type { SlackLog } from "./settings.ts";

const retryMaxMs = minuteMs;
/** A connection that was lost sooner than this counts as a failure. */
const lastingMs = minuteMs;

/** Connects in the background, and again whenever the connection is lost. */
export interface ReconnectLoop {
  /** Call this also when the connection is lost. While the loop is connecting, it does nothing. */
  start(): void;
  stop(): void;
}

export interface ReconnectLoopOptions {
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
  /** 0 to 1: spreads the attempts of processes that were disconnected together. */
  readonly random?: () => number;
  /** Waits until the time is over or the signal is aborted. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Connects until it succeeds or is stopped, and logs each failure. After failures it waits about 1 s, 2 s, 4 s … up to a
 * minute. A connection that does not last a minute counts as a failure, so that it is not reopened in a tight loop.
 */
export function createReconnectLoop(
  connect: () => Promise<void>,
  log: SlackLog,
  { now = () => performance.now(), random = Math.random, pause = waitFor }: ReconnectLoopOptions = {},
): ReconnectLoop {
  const stopped = new AbortController();
  let isConnecting = false;
  let failures = 0;
  let connectedAt: number | undefined;
  const connectWithRetries = async (): Promise<void> => {
    isConnecting = true;
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
        log.warn({ code, hint: hints.get(code) ?? "we keep trying" }, "slack: not connected");
      }
    }
    isConnecting = false;
  };
  return {
    start: () => {
      if (!isConnecting && !stopped.signal.aborted) void connectWithRetries();
    },
    stop: () => stopped.abort(),
  };
}

/** Slack answered, but the connection cannot be used. */
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

/** What the operator can do, by error code. */
const hints: ReadonlyMap<string, string> = new Map([
  ["unreachable", "Slack cannot be reached from here; we keep trying"],
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
    "SLACK_BOT_TOKEN belongs to another workspace than SLACK_TEAM_ID names: correct one of them",
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

import { slackErrorOf } from "./faults.ts";
import type { SlackLog } from "./settings.ts";

const retryMaxMs = 60_000;

/** Connects in the background and again whenever the connection is lost, as often as it takes. */
export interface Connecting {
  /** Also to be called when the connection is lost; while it is at it already, nothing more happens. */
  start(): void;
  stop(): void;
}

/** Tries until it succeeds or is stopped, with waits of 1 s, 2 s, 4 s … up to a minute, and says why it does not. */
export function createConnecting(connect: () => Promise<void>, log: SlackLog): Connecting {
  const stopped = new AbortController();
  let isTrying = false;
  const untilDone = async (): Promise<void> => {
    isTrying = true;
    for (let tries = 0; !stopped.signal.aborted; tries++) {
      try {
        await connect();
        break;
      } catch (error) {
        const code = (error instanceof NotConnected ? error.code : slackErrorOf(error)) ?? "unreachable";
        log.warn({ code, hint: hints.get(code) ?? "it is tried again" }, "slack: not connected");
        await pause(Math.min(retryMaxMs, 1_000 * 2 ** Math.min(tries, 10)), stopped.signal);
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

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}

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
        const code = slackErrorOf(error);
        log.warn({ code: code ?? "unreachable", hint: hintOf(code) }, "slack: not connected");
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

/** What the operator can do about it. */
function hintOf(code: string | undefined): string {
  if (code === undefined) return "Slack cannot be reached from here; it is tried again";
  if (code === "invalid_auth" || code === "account_inactive" || code === "token_revoked") {
    return "SLACK_BOT_TOKEN or SLACK_APP_TOKEN is not valid: install the app again and copy the new token";
  }
  if (code === "not_allowed_token_type") {
    return "SLACK_BOT_TOKEN begins with xoxb-, SLACK_APP_TOKEN with xapp-: they seem to be swapped";
  }
  return code === "missing_scope"
    ? "the app lacks a scope: update it from the manifest"
    : "it is tried again";
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}

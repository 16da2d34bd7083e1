import type { App } from "@slack/bolt";
import type { IncomingMessage, ServerResponse } from "node:http";
import { boltLogger } from "./bolt-logger.ts";
import { countListeners } from "./counting.ts";
import { slackErrorOf } from "./faults.ts";
import type { SlackClient } from "./outbound.ts";
import type { SlackLog, SlackSettings } from "./settings.ts";

/** Our workspace, as Slack says it. */
export interface SlackTeam {
  readonly teamId: string;
  readonly enterpriseId: string | undefined;
}

export interface SlackBot {
  readonly app: App;
  readonly client: SlackClient;
  readonly team: () => SlackTeam | undefined;
  /** Takes a call of Slack's over HTTP; undefined in socket mode, where we call them. */
  readonly take: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  /** Finds out who we are at Slack, and opens the socket; tried again in the background until it succeeds. */
  start(): void;
  /** Takes nothing more and waits for what is being answered. */
  stop(): Promise<void>;
}

const callMs = 10_000;
const retryMaxMs = 60_000;
const stopMs = 4_000;

/**
 * Bolt, built so that neither a bad token nor an outage of Slack's can keep us from starting: who we are is asked
 * afterwards, as often as it takes. Loaded only where Slack is configured.
 */
export async function createSlackBot(settings: SlackSettings, log: SlackLog): Promise<SlackBot> {
  const { App: BoltApp, HTTPReceiver, SocketModeReceiver, LogLevel } = await import("@slack/bolt");
  const { WebClient } = await import("@slack/web-api");
  const logger = boltLogger(log, LogLevel.WARN);
  const { connection, botToken, apiUrl } = settings;
  const clientOptions = {
    slackApiUrl: `${apiUrl.replace(/\/+$/, "")}/`,
    timeout: callMs,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logger,
  };
  const http =
    connection.mode === "http"
      ? new HTTPReceiver({ signingSecret: connection.signingSecret, endpoints: "/slack/events", logger })
      : undefined;
  const receiver =
    connection.mode === "socket"
      ? new SocketModeReceiver({ appToken: connection.appToken, logger, installerOptions: { clientOptions } })
      : http;
  let team: SlackTeam | undefined;
  const app = new BoltApp({
    ...(receiver !== undefined && { receiver }),
    // Who the bot is has been asked by `start`; asking at each call would be one more way to fail.
    authorize: async () => ({ botToken, ...(team !== undefined && { teamId: team.teamId }) }),
    clientOptions,
    logger,
    convoStore: false,
    deferInitialization: true,
    ignoreSelf: false,
  });
  const client = new WebClient(botToken, clientOptions);
  const busy = countListeners(app);
  app.error(async (error) => log.error({ err: error }, "slack: an answer failed"));
  const isStopped = new AbortController();

  const introduce = async (): Promise<void> => {
    const found = await whoWeAre(client, settings, log);
    await app.init();
    if (connection.mode === "socket") await app.start();
    team = found;
    log.info({ team: found.teamId, mode: connection.mode }, "slack: connected");
  };

  return {
    app,
    client,
    team: () => team,
    take: http === undefined ? undefined : (request, response) => http.requestListener(request, response),
    start: () => void untilDone(introduce, isStopped.signal, log),
    async stop() {
      isStopped.abort();
      const close = connection.mode === "socket" && team !== undefined ? app.stop() : undefined;
      await close?.catch((err: unknown) => log.warn({ err }, "slack: the socket did not close"));
      await busy.idle(stopMs);
    },
  };
}

async function whoWeAre(client: SlackClient, settings: SlackSettings, log: SlackLog): Promise<SlackTeam> {
  const { team_id: teamId, enterprise_id: enterpriseId } = await client.auth.test();
  if (teamId === undefined) throw new Error("auth.test named no team");
  if (settings.teamId !== undefined && settings.teamId !== teamId && settings.teamId !== enterpriseId) {
    log.error(
      { team: teamId },
      "slack: SLACK_BOT_TOKEN belongs to another workspace than SLACK_TEAM_ID names",
    );
    throw new Error("another workspace");
  }
  return { teamId, enterpriseId };
}

/** Tries until it succeeds or we stop, with waits of 1 s, 2 s, 4 s … up to a minute. */
async function untilDone(task: () => Promise<void>, stopped: AbortSignal, log: SlackLog): Promise<void> {
  for (let tries = 0; !stopped.aborted; tries++) {
    try {
      await task();
      return;
    } catch (error) {
      const code = slackErrorOf(error);
      log.warn({ code: code ?? "unreachable", hint: hintOf(code) }, "slack: not connected");
      await pause(Math.min(retryMaxMs, 1_000 * 2 ** Math.min(tries, 10)), stopped);
    }
  }
}

/** What the operator can do about it. */
function hintOf(code: string | undefined): string {
  if (code === undefined) return "Slack cannot be reached from here; it is tried again";
  if (code === "invalid_auth" || code === "account_inactive" || code === "token_revoked") {
    return "SLACK_BOT_TOKEN or SLACK_APP_TOKEN is not valid: install the app again and copy the new token";
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

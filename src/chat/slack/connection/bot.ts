import type { App, SocketModeReceiver } from "@slack/bolt";
import type { IncomingMessage, ServerResponse } from "node:http";
import { boltLogger } from "./bolt-logger.ts";
import { createReconnectLoop, NotConnected } from "./reconnect-loop.ts";
import { countListeners } from "./listener-tracker.ts";
import type { SlackClient } from "./slack-client.ts";
import type { SlackLog, SlackSettings } from "./settings.ts";
import { resolveWithin } from "../../../service/async/resolve-within.ts";

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

const callMsUsual = 10_000;
/** How long Slack may take to greet us once a socket is asked for. */
const greetingMs = 15_000;
const goodbyeMs = 2_000;
/** What Slack sends of the largest message it allows is less than half of this. */
const bodyMaxBytes = 1_000_000;
const stopMs = 4_000;

/**
 * Bolt, built so that neither a bad token nor an outage of Slack's can keep us from starting: who we are is asked
 * afterwards, as often as it takes. Loaded only where Slack is configured.
 */
export async function createSlackBot(settings: SlackSettings, log: SlackLog): Promise<SlackBot> {
  const { App: BoltApp, HTTPReceiver, SocketModeReceiver, LogLevel } = await import("@slack/bolt");
  const { WebClient } = await import("@slack/web-api");
  const logger = boltLogger(log, LogLevel.WARN);
  const { connection, botToken, apiUrl, callMs = callMsUsual } = settings;
  const clientOptions = {
    slackApiUrl: `${apiUrl.replace(/\/+$/, "")}/`,
    timeout: callMs,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logger,
  };
  const http =
    connection.mode === "http"
      ? new HTTPReceiver({
          signingSecret: connection.signingSecret,
          endpoints: "/slack/events",
          bodyLimit: bodyMaxBytes,
          logger,
        })
      : undefined;
  // The SDK's own reconnecting ends the process when Slack answers it with an error at the wrong moment.
  const socket =
    connection.mode === "socket"
      ? new SocketModeReceiver({
          appToken: connection.appToken,
          logger,
          installerOptions: { clientOptions },
          autoReconnectEnabled: false,
        })
      : undefined;
  const receiver = socket ?? http;
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
  // Asks nobody: who may call has been said above.
  await app.init();

  const connecting = createReconnectLoop(async () => {
    team = await whoWeAre(client, settings);
    if (socket !== undefined) await opened(socket);
    log.info({ team: team.teamId, mode: connection.mode }, "slack: connected");
  }, log);
  socket?.client.on("disconnected", () => connecting.start());

  return {
    app,
    client,
    team: () => team,
    take: http === undefined ? undefined : (request, response) => http.requestListener(request, response),
    start: () => connecting.start(),
    async stop() {
      connecting.stop();
      await socket?.stop().catch((err: unknown) => log.warn({ err }, "slack: the socket did not close"));
      await busy.idle(stopMs);
    },
  };
}

/** Opens the socket; throws when Slack says no or does not greet us in time. */
async function opened({ client }: SocketModeReceiver): Promise<void> {
  const greeted = await resolveWithin(
    client.start().then(() => true),
    greetingMs,
  );
  if (greeted === true) return;
  await resolveWithin(client.disconnect(), goodbyeMs);
  throw new NotConnected("no_greeting");
}

async function whoWeAre(client: SlackClient, settings: SlackSettings): Promise<SlackTeam> {
  const { team_id: teamId, enterprise_id: enterpriseId } = await client.auth.test();
  if (teamId === undefined) throw new NotConnected("no_team");
  const { teamId: wanted } = settings;
  if (wanted !== undefined && wanted !== teamId && wanted !== enterpriseId) {
    throw new NotConnected("another_workspace");
  }
  return { teamId, enterpriseId };
}

import type { App, SocketModeReceiver } from "@slack/bolt";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createBoltLogger } from "./bolt-logger.ts";
import { createReconnectLoop, NotConnected } from "./reconnect-loop.ts";
import { trackListeners } from "./listener-tracker.ts";
import type { SlackClient } from "./slack-client.ts";
import type { SlackLog, SlackSettings } from "./settings.ts";
import { resolveWithin } from "../../../service/async/resolve-within.ts";

/** Our workspace, as Slack reports it. */
export interface SlackTeam {
  readonly teamId: string;
  readonly enterpriseId: string | undefined;
}

export interface SlackBot {
  readonly app: App;
  readonly client: SlackClient;
  readonly team: () => SlackTeam | undefined;
  /** Handles an HTTP call by Slack; undefined in socket mode, where we open the connection. */
  readonly handle: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  /** Reads our workspace from Slack and opens the socket. Retries in the background until it succeeds. */
  start(): void;
  /** Accepts nothing more and waits for the answers in progress. */
  stop(): Promise<void>;
}

const defaultCallTimeoutMs = 10_000;
/** Time limit for Slack's hello message on a new socket. */
const helloTimeoutMs = 15_000;
const disconnectTimeoutMs = 2_000;
/** The largest payload that Slack sends is less than half of this. */
const bodyMaxBytes = 1_000_000;
const stopTimeoutMs = 4_000;

/**
 * Creates the Bolt app so that neither a bad token nor an outage of Slack prevents our start: the workspace is read
 * afterwards, with retries. Bolt is loaded only if Slack is configured.
 */
export async function createSlackBot(settings: SlackSettings, log: SlackLog): Promise<SlackBot> {
  const { App: BoltApp, HTTPReceiver, SocketModeReceiver, LogLevel } = await import("@slack/bolt");
  const { WebClient } = await import("@slack/web-api");
  const logger = createBoltLogger(log, LogLevel.WARN);
  const { connection, botToken, apiUrl, callMs = defaultCallTimeoutMs } = settings;
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
  // The SDK's own reconnect can end the process when Slack answers with an error.
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
    // `start` has read the workspace; asking Slack for each call could fail.
    authorize: async () => ({ botToken, ...(team !== undefined && { teamId: team.teamId }) }),
    clientOptions,
    logger,
    convoStore: false,
    deferInitialization: true,
    ignoreSelf: false,
  });
  const client = new WebClient(botToken, clientOptions);
  const listeners = trackListeners(app);
  app.error(async (error) => log.error({ err: error }, "slack: listener failed"));
  // Makes no call to Slack, because `authorize` is given above.
  await app.init();

  const reconnectLoop = createReconnectLoop(async () => {
    team = await readTeam(client, settings);
    if (socket !== undefined) await openSocket(socket);
    log.info({ team: team.teamId, mode: connection.mode }, "slack: connected");
  }, log);
  socket?.client.on("disconnected", () => reconnectLoop.start());

  return {
    app,
    client,
    team: () => team,
    handle: http === undefined ? undefined : (request, response) => http.requestListener(request, response),
    start: () => reconnectLoop.start(),
    async stop() {
      reconnectLoop.stop();
      await socket?.stop().catch((err: unknown) => log.warn({ err }, "slack: socket did not close"));
      await listeners.idle(stopTimeoutMs);
    },
  };
}

/** Opens the socket. Throws when Slack refuses or does not say hello in time. */
async function openSocket({ client }: SocketModeReceiver): Promise<void> {
  const isOpen = await resolveWithin(
    client.start().then(() => true),
    helloTimeoutMs,
  );
  if (isOpen === true) return;
  await resolveWithin(client.disconnect(), disconnectTimeoutMs);
  throw new NotConnected("no_greeting");
}

async function readTeam(client: SlackClient, settings: SlackSettings): Promise<SlackTeam> {
  const { team_id: teamId, enterprise_id: enterpriseId } = await client.auth.test();
  if (teamId === undefined) throw new NotConnected("no_team");
  const { teamId: configured } = settings;
  if (configured !== undefined && configured !== teamId && configured !== enterpriseId) {
    throw new NotConnected("another_workspace");
  }
  return { teamId, enterpriseId };
}

import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text as textOf } from "node:stream/consumers";
import { breaches } from "./limits.ts";
import { callMethod } from "./web-api.ts";

type Json = { readonly [name: string]: unknown };

export interface SlackCall {
  readonly method: string;
  readonly body: Json;
}

/** The current state of a message in Slack. */
export interface SlackMessage {
  readonly channel: string;
  readonly ts: string;
  readonly thread: string | undefined;
  /** Whether a reply is also shown outside of its thread. */
  readonly isBroadcast: boolean;
  text: string;
  blocks: readonly Json[];
}

/** A failure to simulate: a Slack error, an HTTP status, no answer, or a broken connection. */
export type Trouble =
  | { readonly error: string }
  | { readonly status: number; readonly retryAfter?: number }
  | "hang"
  | "cut";

export interface FakeSlack {
  readonly url: string;
  readonly botToken: string;
  readonly appToken: string;
  readonly signingSecret: string;
  readonly teamId: string;
  readonly calls: SlackCall[];
  /** Keyed by `channel ts`. */
  readonly messages: Map<string, SlackMessage>;
  /** Modals by their id, App Homes by their user. */
  readonly views: Map<string, Json>;
  /** The bodies posted to response URLs. */
  readonly responses: Json[];
  /** Members, with the fields that differ from a full member. */
  readonly members: Map<string, Json>;
  readonly groups: Map<string, readonly string[]>;
  /** Channels that are shared with another organisation. */
  readonly shared: Set<string>;
  /** Members of channels. The members of other channels are not listed. */
  readonly channelMembers: Map<string, readonly string[]>;
  /** Channels that cannot be posted to, with the error code. */
  readonly unpostable: Map<string, string>;
  /** A promise delays the call until it resolves. */
  trouble: (method: string, body: Json) => Promise<Trouble | undefined> | Trouble | undefined;
  /** Epoch milliseconds, for limits per minute. */
  now: () => number;
  /** How many calls were answered 429. */
  throttled: number;
  /** Every limit of Slack that a call of ours has exceeded. */
  readonly broken: string[];
  /** An id that opens one modal, within 3 s. */
  triggerId(): string;
  messagesIn(channel: string): SlackMessage[];
  /** The private channel of a person with the bot. */
  dmOf(user: string): string;
  responseUrl(): string;
  /** The address for socket mode; see fake-socket.ts. */
  socketUrl: string | undefined;
  headers(body: string, atMs?: number, secret?: string): Record<string, string>;
  close(): Promise<void>;
}

/** Starts a fake of Slack on 127.0.0.1. It checks the token, enforces limits, stores messages, and fails on demand. */
export async function startFakeSlack(): Promise<FakeSlack> {
  const state = {
    botToken: "xoxb-fake-token-of-the-test",
    appToken: "xapp-fake-token-of-the-test",
    signingSecret: "8f742231b10e8888abcd99yyyzzz85a5",
    teamId: "T0TEAM",
    calls: [] as SlackCall[],
    messages: new Map<string, SlackMessage>(),
    views: new Map<string, Json>(),
    responses: [] as Json[],
    members: new Map<string, Json>(),
    groups: new Map<string, readonly string[]>(),
    channelMembers: new Map<string, readonly string[]>(),
    unpostable: new Map<string, string>(),
    broken: [] as string[],
    shared: new Set<string>(),
  };
  let count = 0;
  const fake: FakeSlack = {
    ...state,
    url: "",
    socketUrl: undefined,
    now: Date.now,
    throttled: 0,
    trouble: () => undefined,
    dmOf: (user) => `D${user.slice(1)}`,
    messagesIn: (channel) => [...state.messages.values()].filter((one) => one.channel === channel),
    responseUrl: () => `${fake.url}/response/${++count}`,
    triggerId() {
      const id = `${++count}.${Date.now()}.trigger`;
      triggers.set(id, Date.now() + triggerMs);
      return id;
    },
    headers(body, atMs = Date.now(), secret = state.signingSecret) {
      const at = String(Math.floor(atMs / 1_000));
      const signature = createHmac("sha256", secret).update(`v0:${at}:${body}`).digest("hex");
      return { "x-slack-request-timestamp": at, "x-slack-signature": `v0=${signature}` };
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
  const triggers = new Map<string, number>();
  const updates: number[] = [];
  const server = createServer((request, response) => {
    void answer(fake, triggers, updates, request, response).catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : undefined),
    );
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return Object.assign(fake, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

const triggerMs = 3_000;
const usesOfResponseUrlMax = 5;

async function answer(
  fake: FakeSlack,
  triggers: Map<string, number>,
  updates: number[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const raw = await textOf(request);
  const [path = "", query = ""] = (request.url ?? "").split("?");
  if (path.startsWith("/response/")) return recordResponse(fake, path, raw, response);
  const method = path.replace(/^\/api\//, "");
  const body = parsed(raw === "" ? query : raw, request.headers["content-type"] ?? "");
  fake.calls.push({ method, body });
  const trouble = (await fake.trouble(method, body)) ?? rateLimited(fake, updates, method);
  if (trouble === "hang") return;
  if (trouble === "cut") return void response.destroy();
  if (trouble !== undefined && "status" in trouble) {
    if (trouble.retryAfter !== undefined) response.setHeader("retry-after", String(trouble.retryAfter));
    response.statusCode = trouble.status;
    response.end("");
    return;
  }
  const isOurs =
    request.headers.authorization === `Bearer ${fake.botToken}` ||
    body["token"] === fake.botToken ||
    request.headers.authorization === `Bearer ${fake.appToken}`;
  const result =
    trouble ??
    (isOurs
      ? (triggerError(triggers, method, body) ?? callMethod(fake, method, body))
      : { error: "invalid_auth" });
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ ok: !("error" in result), ...result }));
}

const updatesPerMinuteMax = 50;

/** Slack limits rewrites per minute and workspace. */
function rateLimited(fake: FakeSlack, updates: number[], method: string): Trouble | undefined {
  if (method !== "chat.update") return undefined;
  const now = fake.now();
  while (updates[0] !== undefined && now - updates[0] >= 60_000) updates.shift();
  if (updates.length < updatesPerMinuteMax) {
    updates.push(now);
    return undefined;
  }
  fake.throttled++;
  return { status: 429, retryAfter: Math.ceil(((updates[0] ?? now) + 60_000 - now) / 1_000) };
}

function recordResponse(fake: FakeSlack, path: string, raw: string, response: ServerResponse): void {
  const body = JSON.parse(raw) as Json;
  const uses = fake.calls.filter((one) => one.method === path).length;
  fake.calls.push({ method: path, body });
  if (uses >= usesOfResponseUrlMax) fake.broken.push("response_url used too often");
  fake.broken.push(...breaches("chat.postEphemeral", body));
  fake.responses.push(body);
  response.end("ok");
}

/** The error for a trigger id that opens no modal. */
function triggerError(triggers: Map<string, number>, method: string, body: Json): Json | undefined {
  if (method !== "views.open") return undefined;
  const id = String(body["trigger_id"]);
  const until = triggers.get(id);
  if (until === undefined) return { error: "exchanged_trigger_id" };
  triggers.delete(id);
  return Date.now() > until ? { error: "expired_trigger_id" } : undefined;
}

function parsed(raw: string, type: string): Json {
  if (type.startsWith("application/json")) return JSON.parse(raw) as Json;
  const body: Record<string, unknown> = {};
  for (const [name, value] of new URLSearchParams(raw)) {
    body[name] = /^[[{]/.test(value) ? (JSON.parse(value) as unknown) : value;
  }
  return body;
}

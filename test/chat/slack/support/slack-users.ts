import { assertPresent } from "../../../../src/core/values/assert.ts";
import type { FakeSlack, SlackMessage } from "../../../fakes/slack/fake-slack.ts";
import { breachesOfAck } from "../../../fakes/slack/limits.ts";

type Json = { readonly [name: string]: unknown };
type Typed = Readonly<Record<string, string | readonly string[]>>;

/** Slack user ids follow the names of our test identities: `U0DEV` is dev. */
export const slackId = (name: string): string => `U0${name.toUpperCase()}`;

export interface Ack {
  readonly status: number;
  readonly body: Json;
}

export interface SendOptions {
  readonly atMs?: number;
  readonly secret?: string;
  readonly type?: string;
}

/** Simulates people in Slack: sends their actions signed over HTTP, as Slack does. */
export interface SlackUsers {
  /** Sends a payload. @returns the HTTP status and body of the acknowledgement */
  send(payload: Json, more?: SendOptions): Promise<Ack>;
  /** Sends a call without a body. */
  raw(path: string, headers: Readonly<Record<string, string>>): Promise<Response>;
  command(name: string, text: string): Promise<Ack>;
  /** Presses a button of a message. */
  press(name: string, message: SlackMessage, action: string): Promise<Ack>;
  /** Presses a button in a modal, or in the App Home if `viewId` is the person's own id. */
  pressIn(name: string, viewId: string, action: string): Promise<Ack>;
  openHome(name: string): Promise<Ack>;
  /** Changes a field of an open form. */
  type(name: string, viewId: string, values: Typed): Promise<Ack>;
  /** Types in a field that searches its options. */
  suggest(name: string, typed: string): Promise<Ack>;
  /** Submits an open form. */
  submit(name: string, viewId: string, values: Typed): Promise<Ack>;
  /** The newest modal. */
  modal(): Json & { readonly id: string };
  /** The content of all modals. */
  modals(): string;
  /** The last ephemeral message. */
  lastEphemeral(): string;
}

export function createSlackUsers(address: string, fake: FakeSlack): SlackUsers {
  const send: SlackUsers["send"] = async (payload, more = {}) => {
    const { atMs, secret, type = "application/x-www-form-urlencoded" } = more;
    const body = encoded(payload, type);
    const response = await fetch(`${address}/slack/events`, {
      method: "POST",
      headers: { "content-type": type, ...fake.headers(body, atMs, secret) },
      body,
    });
    const text = await response.text();
    const answer = text.startsWith("{") ? (JSON.parse(text) as Json) : {};
    fake.broken.push(...breachesOfAck(answer));
    return { status: response.status, body: answer };
  };
  const who = (name: string): Json => ({
    team: { id: fake.teamId },
    user: { id: slackId(name), team_id: fake.teamId, name },
    trigger_id: fake.triggerId(),
  });
  const viewOf = (id: string): Json => ({ ...assertPresent(fake.views.get(id), id), id });
  return {
    raw: (path, headers) => fetch(`${address}${path}`, { method: "POST", headers: { ...headers } }),
    send,
    command: (name, text) =>
      send({
        command: "/jit",
        text,
        team_id: fake.teamId,
        user_id: slackId(name),
        user_name: name,
        trigger_id: fake.triggerId(),
        response_url: fake.responseUrl(),
      }),
    press: (name, message, action) =>
      send({
        type: "block_actions",
        ...who(name),
        container: { type: "message", message_ts: message.ts, channel_id: message.channel },
        channel: { id: message.channel },
        response_url: fake.responseUrl(),
        actions: [buttonIn(message.blocks, action)],
      }),
    pressIn: (name, viewId, action) => {
      const view = viewOf(viewId);
      return send({
        type: "block_actions",
        ...who(name),
        container: { type: "view", view_id: viewId },
        view,
        actions: [buttonIn(view["blocks"], action)],
      });
    },
    openHome: (name) =>
      send(
        {
          type: "event_callback",
          team_id: fake.teamId,
          event_id: "Ev1",
          event_time: 1,
          api_app_id: "A1",
          event: {
            type: "app_home_opened",
            user: slackId(name),
            tab: "home",
            channel: fake.dmOf(slackId(name)),
            event_ts: "1.1",
          },
        },
        { type: "application/json; charset=utf-8" },
      ),
    type: (name, viewId, values) =>
      send({
        type: "block_actions",
        ...who(name),
        container: { type: "view", view_id: viewId },
        view: { ...viewOf(viewId), state: stateOf(values) },
        actions: [{ type: "plain_text_input", action_id: "field", block_id: "duration" }],
      }),
    suggest: (name, typed) =>
      send({
        type: "block_suggestion",
        ...who(name),
        action_id: "field",
        block_id: "catalog",
        value: typed,
      }),
    submit: (name, viewId, values) =>
      send({
        type: "view_submission",
        ...who(name),
        view: { ...viewOf(viewId), state: stateOf(values) },
      }),
    modal() {
      const [last] = [...fake.views.entries()].filter(([id]) => id.startsWith("V")).toReversed();
      const [id, view] = assertPresent(last, "a modal");
      return { ...view, id };
    },
    modals: () => JSON.stringify([...fake.views].filter(([id]) => id.startsWith("V"))),
    lastEphemeral: () => JSON.stringify(fake.responses.at(-1) ?? {}),
  };
}

/** The body as Slack encodes commands, events and interactive payloads. */
function encoded(payload: Json, type: string): string {
  if (type.includes("json")) return JSON.stringify(payload);
  const fields: [string, string][] =
    "command" in payload
      ? Object.entries(payload).map(([name, value]) => [name, String(value)])
      : [["payload", JSON.stringify(payload)]];
  return new URLSearchParams(fields).toString();
}

function stateOf(values: Typed): Json {
  const typed = Object.entries(values).map(([field, value]) => [
    field,
    {
      field:
        typeof value === "string"
          ? { type: "plain_text_input", value }
          : { type: "multi_external_select", selected_options: value.map((one) => ({ value: one })) },
    },
  ]);
  return { values: Object.fromEntries(typed) as Json };
}

/** The action of a shown button, or of one that is no longer shown. */
function buttonIn(blocks: unknown, action: string): Json {
  const buttons = buttonsIn(blocks);
  const button = buttons.find((one) => String(one["action_id"]).endsWith(`:${action}`));
  const value = (button ?? buttons.find((one) => typeof one["value"] === "string"))?.["value"];
  return {
    type: "button",
    action_id: button?.["action_id"] ?? `card:${action}`,
    block_id: "x",
    value: typeof value === "string" ? value : "jit_gone none",
  };
}

function buttonsIn(blocks: unknown): Json[] {
  const all = Array.isArray(blocks) ? (blocks as Json[]) : [];
  return all.flatMap((block) => (block["type"] === "actions" ? (block["elements"] as Json[]) : []));
}

/** The labels of a message's buttons. */
export function buttonsOf({ blocks }: Pick<SlackMessage, "blocks">): string[] {
  return buttonsIn(blocks).map((one) => String((one["text"] as Json)["text"]));
}

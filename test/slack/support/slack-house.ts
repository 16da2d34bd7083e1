import { pino } from "pino";
import { createChat } from "../../../src/chat/chat.ts";
import { present } from "../../../src/core/assert.ts";
import { makeId } from "../../../src/core/ids.ts";
import type { Policy, Rules } from "../../../src/core/policy.ts";
import { createHttpServer } from "../../../src/http/server.ts";
import { createRunners } from "../../../src/outbox/house-runners.ts";
import { createRelay, type Relay } from "../../../src/outbox/relay.ts";
import { createSlack, type Slack } from "../../../src/slack/slack.ts";
import type { SlackSettings } from "../../../src/slack/settings.ts";
import { startFakeSlack, type FakeSlack, type SlackMessage } from "../../fakes/slack/fake-slack.ts";
import { allStaff, openOffice, type Office } from "../../service/support/office.ts";

type Json = { readonly [name: string]: unknown };

/** Slack users are named after the people of the office: `U0DEV` is dev. */
export const slackId = (name: string): string => `U0${name.toUpperCase()}`;

const linked = allStaff.map((one) =>
  one.kind === "HUMAN" && one.name !== "sam"
    ? { ...one, links: { slack: { teamId: "T0TEAM", userId: slackId(one.name) } } }
    : one,
);

export interface SlackHouse {
  readonly office: Office;
  readonly fake: FakeSlack;
  readonly slack: Slack;
  readonly relay: Relay;
  readonly log: string[];
  /** Sends a payload as Slack does; the HTTP status and body of the acknowledgement, and how long it took. */
  send(
    payload: Json,
    more?: { readonly atMs?: number; readonly secret?: string; readonly type?: string },
  ): Promise<Ack>;
  command(name: string, text: string): Promise<Ack>;
  /** Presses a button on a message, as this person sees it. */
  press(name: string, message: SlackMessage, action: string): Promise<Ack>;
  /** Sends a form that is open. */
  submit(
    name: string,
    viewId: string,
    values: Readonly<Record<string, string | readonly string[]>>,
  ): Promise<Ack>;
  /** The newest modal. */
  modal(): Json & { readonly id: string };
  /** What this person was whispered last. */
  lastWhisper(): string;
  settle(): Promise<void>;
  close(): Promise<void>;
}

export interface Ack {
  readonly status: number;
  readonly body: Json;
  readonly ms: number;
}

export async function openSlackHouse(
  policies: readonly Policy[],
  rules: Partial<Rules> = {},
  changed: Partial<SlackSettings> = {},
  prepare: (fake: FakeSlack) => void = () => undefined,
): Promise<SlackHouse> {
  const office = await openOffice();
  // Slack signs with the time of day.
  office.clock.pass(Date.now() - office.clock.now());
  await office.configure(policies, rules, linked);
  const fake = await startFakeSlack();
  for (const one of allStaff)
    fake.members.set(slackId(one.name), { name: one.name, profile: { email: one.email } });
  prepare(fake);
  const log: string[] = [];
  const logger = pino({ level: "debug" }, { write: (line) => void log.push(line) });
  const slack = await createSlack(
    {
      botToken: fake.botToken,
      connection: { mode: "http", signingSecret: fake.signingSecret },
      apiUrl: `${fake.url}/api`,
      linkByEmail: false,
      ...changed,
    },
    logger,
  );
  office.context.surfaces.add(slack.messenger);
  const { services } = office;
  const { people, cards, refusals } = services;
  const { now } = office.clock;
  const chat = createChat({ services, people, cards, now });
  const { mount } = slack.open({ chat, people, cards, refusals, now: () => now() });
  const relay = createRelay(
    office.store,
    office.context.surroundings,
    createRunners(office.context, services, logger),
    () => undefined,
  );
  const app = await createHttpServer(services, {
    trustedProxies: [],
    ratePerMinute: 100_000,
    readiness: async () => ({ database: { ok: true, detail: "" } }),
    loggerInstance: logger,
    ...(mount !== undefined && { mounts: [mount] }),
  });
  const address = await app.listen({ host: "127.0.0.1", port: 0 });
  slack.start();
  await waitFor(() =>
    log.some((line) => line.includes("slack: connected") || line.includes("slack: not connected")),
  );
  const house = doors(address, fake, log);
  return {
    ...house,
    office,
    fake,
    slack,
    relay,
    log,
    settle: () => relay.drain(),
    async close() {
      await app.close();
      await slack.stop();
      await relay.stop();
      await fake.close();
      await office.close();
    },
  };
}

function doors(address: string, fake: FakeSlack, log: string[]) {
  void log;
  const send: SlackHouse["send"] = async (
    payload,
    { atMs, secret, type = "application/x-www-form-urlencoded" } = {},
  ) => {
    const isCommand = "command" in payload;
    const body = isCommand
      ? new URLSearchParams(
          Object.entries(payload).map(([name, value]): [string, string] => [name, String(value)]),
        ).toString()
      : type.includes("json")
        ? JSON.stringify(payload)
        : new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
    const begun = performance.now();
    const response = await fetch(`${address}/slack/events`, {
      method: "POST",
      headers: { "content-type": type, ...fake.headers(body, atMs, secret) },
      body,
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text.startsWith("{") ? (JSON.parse(text) as Json) : {},
      ms: performance.now() - begun,
    };
  };
  const who = (name: string): Json => ({
    team: { id: fake.teamId },
    user: { id: slackId(name), team_id: fake.teamId, name },
    trigger_id: "1.2.abc",
  });
  const modal: SlackHouse["modal"] = () => {
    const [last] = [...fake.views.entries()].filter(([id]) => id.startsWith("V")).toReversed();
    const [id, view] = present(last, "a modal");
    return { ...view, id };
  };
  return {
    send,
    modal,
    command: (name: string, text: string) =>
      send({
        command: "/jit",
        text,
        team_id: fake.teamId,
        user_id: slackId(name),
        user_name: name,
        trigger_id: "1.2.abc",
        response_url: fake.responseUrl(),
      }),
    press: (name: string, message: SlackMessage, action: string) =>
      send({
        type: "block_actions",
        ...who(name),
        container: { type: "message", message_ts: message.ts, channel_id: message.channel },
        channel: { id: message.channel },
        response_url: fake.responseUrl(),
        actions: [
          { type: "button", action_id: `card:${action}`, block_id: "x", value: valueOf(message, action) },
        ],
      }),
    submit: (name: string, viewId: string, values: Readonly<Record<string, string | readonly string[]>>) => {
      const view = present(fake.views.get(viewId), viewId);
      const typed = Object.entries(values).map(([field, value]) => [
        field,
        {
          field: Array.isArray(value)
            ? {
                type: "multi_external_select",
                selected_options: value.map((one: string) => ({ value: one })),
              }
            : { type: "plain_text_input", value },
        },
      ]);
      return send({
        type: "view_submission",
        ...who(name),
        view: { ...view, state: { values: Object.fromEntries(typed) } },
      });
    },
    lastWhisper: () => JSON.stringify(fake.responses.at(-1) ?? {}),
  };
}

/** The value of a button as the message carries it now; of one that is gone, as it was before. */
function valueOf(message: SlackMessage, action: string): string {
  const buttons = message.blocks.flatMap((block) =>
    Array.isArray(block["elements"]) ? (block["elements"] as Json[]) : [],
  );
  const button =
    buttons.find((one) => one["action_id"] === `card:${action}`) ??
    buttons.find((one) => typeof one["value"] === "string");
  const value = button?.["value"];
  return typeof value === "string" ? value : "jit_gone none";
}

/** The labels of a message's buttons. */
export function buttonsOf(message: SlackMessage): string[] {
  return message.blocks
    .flatMap((block) => (block["type"] === "actions" ? (block["elements"] as Json[]) : []))
    .map((one) => String((one["text"] as Json)["text"]));
}

export async function waitFor(isThere: () => boolean, ms = 5_000): Promise<void> {
  const until = Date.now() + ms;
  while (!isThere()) {
    if (Date.now() > until) throw new Error("it did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const idOf = (name: string) => makeId("identity", name);

import { pino } from "pino";
import { expect } from "vitest";
import { createChat } from "../../../../src/chat/conversation/chat.ts";
import { makeId } from "../../../../src/core/values/ids.ts";
import type { Policy, Rules } from "../../../../src/core/policy/policy.ts";
import { createHttpServer } from "../../../../src/http/server.ts";
import { createRunners } from "../../../../src/background/outbox/runners/effect-runners.ts";
import { createRelay, type Relay } from "../../../../src/background/outbox/relay.ts";
import { createServices } from "../../../../src/service/services.ts";
import { createUserGroupReader } from "../../../../src/service/ports/user-groups.ts";
import { createSlack, type Slack } from "../../../../src/chat/slack/slack.ts";
import type { SlackSettings } from "../../../../src/chat/slack/connection/settings.ts";
import { startFakeSlack, type FakeSlack } from "../../../fakes/slack/fake-slack.ts";
import { countCardBuilds, type CardBuilds } from "../../conversation/support/card-builds.ts";
import { createSlackUsers, slackId, type SlackUsers } from "./slack-users.ts";
import {
  allStaff,
  openServiceHarness,
  type ServiceHarness,
} from "../../../service/support/service-harness.ts";

const linked = allStaff.map((one) =>
  one.kind === "HUMAN" && one.name !== "sam"
    ? { ...one, links: { slack: { teamId: "T0TEAM", userId: slackId(one.name) } } }
    : one,
);

export interface SlackHarness extends SlackUsers {
  readonly service: ServiceHarness;
  readonly fake: FakeSlack;
  readonly slack: Slack;
  readonly relay: Relay;
  readonly log: string[];
  /** Of Slack and the conversation; the relay's own are not counted. */
  readonly cardBuilds: CardBuilds;
  /** All identities with their links, for another `configure`. */
  readonly people: typeof linked;
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** The service with a fake Slack: services, relay, HTTP server and the real Bolt. */
export async function openSlackHarness(
  policies: readonly Policy[],
  rules: Partial<Rules> = {},
  changed: Partial<SlackSettings> = {},
  prepare: (fake: FakeSlack) => void = () => undefined,
): Promise<SlackHarness> {
  const plain = await openServiceHarness();
  // Signatures contain the real time.
  plain.clock.pass(Date.now() - plain.clock.now());
  await plain.configure(policies, rules, linked);
  const fake = await startFakeSlack();
  fake.now = plain.clock.now;
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
    plain.clock.now,
  );
  const { now } = plain.clock;
  const context = { ...plain.context, userGroups: createUserGroupReader(slack.userGroups, now) };
  context.surfaces.add(slack.messenger);
  const services = createServices(
    context,
    async () => {},
    (fault) => {
      throw fault;
    },
  );
  const harness = { ...plain, context, services };
  const { accountLinks, refusals } = services;
  const cardBuilds = countCardBuilds(services.cards);
  const { cards } = cardBuilds;
  const chat = createChat({ services, accountLinks, cards, now });
  const { mount } = slack.open({ chat, accountLinks, cards, refusals, now: () => now() });
  const relay = createRelay(
    harness.store,
    harness.context.runtime,
    createRunners(context, services, logger),
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
  return {
    ...createSlackUsers(address, fake),
    service: harness,
    fake,
    slack,
    relay,
    log,
    cardBuilds,
    people: linked,
    settle: () => relay.drain(),
    async close() {
      expect(fake.broken).toEqual([]);
      await app.close();
      await slack.stop();
      await relay.stop();
      await fake.close();
      await harness.close();
    },
  };
}

export async function waitFor(isTrue: () => boolean, ms = 5_000): Promise<void> {
  const until = Date.now() + ms;
  while (!isTrue()) {
    if (Date.now() > until) throw new Error("the condition did not become true in time");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const idOf = (name: string) => makeId("identity", name);

import { afterEach, beforeEach } from "vitest";
import { createChat } from "../../../../src/chat/conversation/chat.ts";
import type { Policy } from "../../../../src/core/policy/policy.ts";
import { secondMs } from "../../../../src/core/values/time.ts";
import type { App } from "../../../../src/http/middleware/route-access.ts";
import { createHttpServer } from "../../../../src/http/server.ts";
import { createRunners } from "../../../../src/background/outbox/runners/effect-runners.ts";
import { createRelay, type Relay } from "../../../../src/background/outbox/relay.ts";
import { createAddressBook } from "../../../../src/service/people/address-book.ts";
import type { TeamsSettings } from "../../../../src/chat/teams/connection/settings.ts";
import { createTeams, type Teams } from "../../../../src/chat/teams/teams.ts";
import {
  appId,
  appPassword,
  startBotFramework,
  tenantId,
  type FakeBotFramework,
} from "../../../fakes/teams/bot-framework.ts";
import { memberNamed, teamsUsers, type TeamsUsers } from "./teams-users.ts";
import { countCardBuilds, type CardBuilds } from "../../conversation/support/card-builds.ts";
import { chatRules } from "../../conversation/support/policy-fixtures.ts";
import {
  allStaff,
  openServiceHarness,
  type ServiceHarness,
} from "../../../service/support/service-harness.ts";

export const channelId = "19:approvals@thread.tacv2";

/** The service with Teams as its only surface, over a fake Bot Framework. */
export interface TeamsHarness extends TeamsUsers {
  readonly service: ServiceHarness;
  readonly app: App;
  readonly fake: FakeBotFramework;
  readonly teams: Teams;
  readonly log: string[];
  /** Of Teams and the conversation; the relay's own are not counted. */
  readonly cardBuilds: CardBuilds;
  /** Sends a message to the bot. */
  say(name: string, text: string, more?: object): Promise<void>;
  /** Runs all effects that are due. */
  settle(): Promise<void>;
}

export function teamsForEach(
  policies: () => readonly Policy[],
  changes: Partial<TeamsSettings> = {},
): () => TeamsHarness {
  let harness: TeamsHarness;
  let relay: Relay | undefined;
  beforeEach(async () => {
    const service = await openServiceHarness();
    const fake = await startBotFramework(service.clock.now);
    await service.configure(policies(), chatRules, linkedStaff);
    for (const { name } of allStaff) fake.members.set(`29:${name}`, memberNamed(name));
    const log: string[] = [];
    const write = (facts: object, message: string): void => void log.push(`${message} ${textOf(facts)}`);
    const teams = createTeams(
      { ...settingsFor(fake), ...changes },
      {
        addresses: createAddressBook(service.store, "teams"),
        now: service.clock.now,
        log: { warn: write, error: write },
      },
    );
    service.context.surfaces.add(teams.messenger);
    const { services, clock, context } = service;
    relay = createRelay(
      service.store,
      context.runtime,
      createRunners(context, services, { info: () => {}, warn: () => {} }),
      (error) => write({ err: error }, "effect failed"),
      () => 0.5,
    );
    const { accountLinks, refusals } = services;
    const cardBuilds = countCardBuilds(services.cards);
    const { cards } = cardBuilds;
    const chat = createChat({ services, accountLinks, cards, now: clock.now, prefix: "" });
    const { mount } = teams.open({ chat, accountLinks, cards, refusals });
    const app = await createHttpServer(services, {
      trustedProxies: [],
      ratePerMinute: 1_000_000,
      readiness: async () => ({ database: { ok: true } }),
      mounts: [mount],
    });
    teams.start();
    const settled = settle(teams, relay, clock);
    const users = teamsUsers(fake, clock.now, async (authorization, payload) => {
      const headers = { ...(authorization !== "" && { authorization }), "content-type": "application/json" };
      const { statusCode, body } = await app.inject({
        method: "POST",
        url: "/api/messages",
        headers,
        payload,
      });
      return { status: statusCode, text: body };
    });
    harness = {
      service,
      app,
      fake,
      teams,
      log,
      cardBuilds,
      ...users,
      settle: settled,
      async say(name, text, more = {}) {
        await users.call(users.activity(name, { type: "message", text, ...more }));
        await settled();
      },
    };
  });
  afterEach(async () => {
    await harness.teams.stop();
    await relay?.stop();
    await harness.app.close();
    await harness.fake.close();
    await harness.service.close();
  });
  return () => harness;
}

function settingsFor(fake: FakeBotFramework): TeamsSettings {
  return {
    appId,
    appPassword,
    tenantId,
    loginUrl: `${fake.url}/login`,
    openIdMetadataUrl: `${fake.url}/openid`,
    serviceUrlHosts: ["127.0.0.1"],
    linkByEmail: false,
  };
}

const linkedStaff = allStaff.map((one) =>
  one.kind === "HUMAN" ? { ...one, links: { teams: { tenantId, aadObjectId: `aad-${one.name}` } } } : one,
);

/** Advances the clock by a second each time, so that the rate limit delays no messages. */
function settle(teams: Teams, relay: Relay, clock: ServiceHarness["clock"]): () => Promise<void> {
  return async () => {
    for (let round = 0; round < 3; round++) {
      await teams.stop();
      await relay.drain();
      clock.pass(secondMs);
    }
  };
}

function textOf(about: object): string {
  return JSON.stringify(about, (_, value: unknown) => (value instanceof Error ? value.stack : value));
}

/** Lets these people write once, so that they can be reached; without names everybody. */
export async function introduce(h: TeamsHarness, ...names: readonly string[]): Promise<void> {
  const everybody = allStaff.flatMap(({ kind, name }) => (kind === "HUMAN" ? [name] : []));
  for (const name of names.length > 0 ? names : everybody) {
    await h.call(h.activity(name, { type: "conversationUpdate" }));
  }
}

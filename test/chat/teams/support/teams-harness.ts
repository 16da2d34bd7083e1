import { afterEach, beforeEach } from "vitest";
import { createChat } from "../../../../src/chat/conversation/chat.ts";
import type { Policy } from "../../../../src/core/policy/policy.ts";
import { secondMs } from "../../../../src/core/values/time.ts";
import type { App } from "../../../../src/http/middleware/route-access.ts";
import { createHttpServer } from "../../../../src/http/server.ts";
import { createRunners } from "../../../../src/background/outbox/runners/effect-runners.ts";
import { createRelay, type Relay } from "../../../../src/background/outbox/relay.ts";
import { createAddressBook } from "../../../../src/service/people/address-book.ts";
import { createTeams, type Teams, type TeamsSettings } from "../../../../src/chat/teams/teams.ts";
import {
  appId,
  appPassword,
  startBotFramework,
  tenantId,
  type FakeBotFramework,
} from "../../../fakes/teams/bot-framework.ts";
import { memberNamed, teamsUsers, type TeamsUsers } from "./teams-users.ts";
import { houseRules } from "../../conversation/support/policy-fixtures.ts";
import { allStaff, openOffice, type Office } from "../../../service/support/service-harness.ts";

export const channelId = "19:approvals@thread.tacv2";

/** The service with Teams as its only surface, over a fake Bot Framework. */
export interface TeamsHouse extends TeamsUsers {
  readonly office: Office;
  readonly app: App;
  readonly fake: FakeBotFramework;
  readonly teams: Teams;
  readonly log: string[];
  /** They write to us. */
  say(name: string, text: string, more?: object): Promise<void>;
  /** Everything that is due goes out. */
  settle(): Promise<void>;
}

export function teamsForEach(
  policies: () => readonly Policy[],
  changes: Partial<TeamsSettings> = {},
): () => TeamsHouse {
  let house: TeamsHouse;
  let relay: Relay | undefined;
  beforeEach(async () => {
    const office = await openOffice();
    const fake = await startBotFramework(office.clock.now);
    await office.configure(policies(), houseRules, linkedStaff);
    for (const { name } of allStaff) fake.members.set(`29:${name}`, memberNamed(name));
    const log: string[] = [];
    const note = (about: object, message: string): void => void log.push(`${message} ${textOf(about)}`);
    const teams = createTeams(
      { ...settingsFor(fake), ...changes },
      {
        addresses: createAddressBook(office.store, "teams"),
        now: office.clock.now,
        log: { warn: note, error: note },
      },
    );
    office.context.surfaces.add(teams.messenger);
    const { services, clock, context } = office;
    relay = createRelay(
      office.store,
      context.surroundings,
      createRunners(context, services, { info: () => {}, warn: () => {} }),
      (error) => note({ err: error }, "effect failed"),
      () => 0.5,
    );
    const { people, cards, refusals } = services;
    const chat = createChat({ services, people, cards, now: clock.now, prefix: "" });
    const { mount } = teams.open({ chat, people, cards, refusals });
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
    house = {
      office,
      app,
      fake,
      teams,
      log,
      ...users,
      settle: settled,
      async say(name, text, more = {}) {
        await users.call(users.activity(name, { type: "message", text, ...more }));
        await settled();
      },
    };
  });
  afterEach(async () => {
    await house.teams.stop();
    await relay?.stop();
    await house.app.close();
    await house.fake.close();
    await house.office.close();
  });
  return () => house;
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

/** A second passes each time, or the pace of so many messages would hold some back. */
function settle(teams: Teams, relay: Relay, clock: Office["clock"]): () => Promise<void> {
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

/** These have written to us once, so that we know where they are; without names everybody. */
export async function introduced(h: TeamsHouse, ...names: readonly string[]): Promise<void> {
  const everybody = allStaff.flatMap(({ kind, name }) => (kind === "HUMAN" ? [name] : []));
  for (const name of names.length > 0 ? names : everybody) {
    await h.call(h.activity(name, { type: "conversationUpdate" }));
  }
}

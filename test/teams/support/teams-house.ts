import { afterEach, beforeEach } from "vitest";
import { createChat } from "../../../src/chat/chat.ts";
import type { Policy } from "../../../src/core/policy.ts";
import { secondMs } from "../../../src/core/time.ts";
import type { App } from "../../../src/http/door.ts";
import { createHttpServer } from "../../../src/http/server.ts";
import { createRunners } from "../../../src/outbox/house-runners.ts";
import { createRelay, type Relay } from "../../../src/outbox/relay.ts";
import { createAddressBook } from "../../../src/service/address-book.ts";
import { createTeams, type Teams, type TeamsSettings } from "../../../src/teams/teams.ts";
import {
  appId,
  appPassword,
  startBotFramework,
  tenantId,
  type FakeBotFramework,
  type FakeButton,
  type FakeCard,
} from "../../fakes/teams/bot-framework.ts";
import { houseRules } from "../../chat/support/house-rules.ts";
import { allStaff, openOffice, type Office } from "../../service/support/office.ts";

export const channelId = "19:approvals@thread.tacv2";

/** What came back from one call of Teams'. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The card of an invoke's answer, in a message's place or a dialog. */
  readonly card: FakeCard;
  /** The sentence, where it is no card. */
  readonly sentence: string;
}

/** The service with Teams as its only surface, over a fake Bot Framework. */
export interface TeamsHouse {
  readonly office: Office;
  readonly app: App;
  readonly fake: FakeBotFramework;
  readonly teams: Teams;
  readonly log: string[];
  /** A call of Teams', with a good token unless another header is given. */
  call(activity: object, authorization?: string): Promise<Answer>;
  /** An activity of this person in their own chat with us, or where `more` says. */
  activity(name: string, more: object): object;
  /** They write to us. */
  say(name: string, text: string, more?: object): Promise<void>;
  /** They press a button of a card in a message. */
  press(name: string, button: FakeButton, typed?: object, more?: object): Promise<Answer>;
  /** They press what opens a dialog, or a button within one. */
  inDialog(name: string, button: FakeButton, typed?: object): Promise<Answer>;
  /** Everything that is due goes out. */
  settle(): Promise<void>;
  /** The cards this person sees in their own chat as they stand now, the last one last. */
  cardsOf(name: string): readonly FakeCard[];
  cardsIn(conversation: string): readonly FakeCard[];
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
    house = { office, app, fake, teams, log, ...hands(app, fake, teams, relay, office) };
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

export function memberNamed(name: string) {
  return {
    id: `29:${name}`,
    aadObjectId: `aad-${name}`,
    tenantId,
    userRole: "user",
    userPrincipalName: `${name}@company.com`,
    name,
  };
}

function hands(
  app: App,
  fake: FakeBotFramework,
  teams: Teams,
  relay: Relay,
  { clock }: Office,
): Omit<TeamsHouse, "office" | "app" | "fake" | "teams" | "log"> {
  let count = 0;
  const activity: TeamsHouse["activity"] = (name, more) => ({
    id: `activity-${++count}`,
    timestamp: new Date(clock.now()).toISOString(),
    channelId: "msteams",
    serviceUrl: fake.serviceUrl,
    from: { id: `29:${name}`, name, aadObjectId: `aad-${name}` },
    recipient: { id: `28:${appId}`, name: "JIT" },
    conversation: { id: `a:29:${name}`, conversationType: "personal", tenantId },
    channelData: { tenant: { id: tenantId } },
    ...more,
  });
  const call: TeamsHouse["call"] = async (body, authorization = `Bearer ${fake.token()}`) => {
    const response = await app.inject({
      method: "POST",
      url: "/api/messages",
      headers: { ...(authorization !== "" && { authorization }), "content-type": "application/json" },
      payload: JSON.stringify(body),
    });
    return answerOf(response.statusCode, response.body);
  };
  const inDialog: TeamsHouse["inDialog"] = (name, { data }, typed = {}) => {
    const isOpening = "msteams" in data;
    const value = { data: { ...data, ...typed }, context: { theme: "default" } };
    return call(activity(name, { type: "invoke", name: isOpening ? "task/fetch" : "task/submit", value }));
  };
  const cardsIn = (conversation: string): readonly FakeCard[] =>
    [...fake.messages.values()]
      .filter((one) => one.conversation === conversation)
      .flatMap(({ activity: { attachments = [] } }) => attachments.map(({ content }) => content));
  return {
    activity,
    call,
    inDialog,
    async say(name, text, more = {}) {
      await call(activity(name, { type: "message", text, ...more }));
      await settle(teams, relay, clock);
    },
    press: (name, { verb, data }, typed = {}, more = {}) => {
      const action = { type: "Action.Execute", verb, data: { ...data, ...typed } };
      const value = { action, trigger: "manual" };
      return call(activity(name, { type: "invoke", name: "adaptiveCard/action", value, ...more }));
    },
    settle: () => settle(teams, relay, clock),
    cardsOf: (name) => cardsIn(`a:29:${name}`),
    cardsIn,
  };
}

/** A second passes each time, or the pace of so many messages would hold some back. */
async function settle(teams: Teams, relay: Relay, clock: Office["clock"]): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await teams.stop();
    await relay.drain();
    clock.pass(secondMs);
  }
}

function answerOf(status: number, text: string): Answer {
  const body: Record<string, unknown> = text.startsWith("{") ? JSON.parse(text) : {};
  const value: unknown = body["value"];
  const task = body["task"] as { value: { card: { content: FakeCard } } } | undefined;
  const isCard = typeof value === "object" && value !== null;
  const none: FakeCard = { body: [], actions: [] };
  const card = task === undefined ? (isCard ? (value as FakeCard) : none) : task.value.card.content;
  return { status, text, card, sentence: typeof value === "string" ? value : "" };
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

/** The button with this label, wherever on the card it is. */
export function button(card: FakeCard | undefined, title: string): FakeButton {
  const found = buttonsIn(card).find((one) => one.title === title);
  if (found === undefined) throw new Error(`no button ${title} on ${JSON.stringify(card)}`);
  return found;
}

export function titles(card: FakeCard | undefined): readonly string[] {
  return buttonsIn(card).map(({ title }) => title);
}

function buttonsIn(card: FakeCard | undefined): readonly FakeButton[] {
  const found: FakeButton[] = [];
  JSON.stringify(card, (_, value: unknown) => {
    if (typeof value === "object" && value !== null && "type" in value && "title" in value) {
      if (String(value.type).startsWith("Action.")) found.push(value as FakeButton);
    }
    return value;
  });
  return found.filter(({ title }) => title !== "Refresh");
}

/** Everything a card says, row by row. */
export function wordsOn(card: FakeCard | undefined): string {
  return rowsIn(card?.body ?? []).join("\n");
}

function rowsIn(element: unknown): readonly string[] {
  if (Array.isArray(element)) return element.flatMap(rowsIn);
  if (typeof element !== "object" || element === null) return [];
  const { text, label, inlines, items }: Partial<Record<string, unknown>> = { ...element };
  const run = Array.isArray(inlines) ? [inlines.map((one: { text: string }) => one.text).join("")] : [];
  return [...[label, text].filter((one) => typeof one === "string"), ...run, ...rowsIn(items)];
}

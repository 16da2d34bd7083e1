import type { FastifyPluginAsync } from "fastify";
import type { Instant } from "../core/ids.ts";
import type { Chat } from "../chat/chat.ts";
import type { AddressBook } from "../service/address-book.ts";
import type { CardService, ChatPeople } from "../service/chat-people.ts";
import type { Messenger } from "../service/messenger.ts";
import type { Services } from "../service/services.ts";
import { createAccessTokens, type AccessTokens } from "./access-token.ts";
import { createAuthentication } from "./authenticate.ts";
import { createBackground } from "./background.ts";
import type { Bot } from "./bot.ts";
import { cloudOf, type Cloud } from "./cloud.ts";
import { createConnector } from "./connector.ts";
import { createConversations } from "./conversations.ts";
import { createInbound } from "./inbound.ts";
import { createMount } from "./mount.ts";
import { createTeamsMessenger } from "./outbound.ts";
import { createPace } from "./pace.ts";
import { createTeamsPeople } from "./people.ts";
import { createRecordedAnswers } from "./recorded-answers.ts";
import { createReplying } from "./replying.ts";
import { createSigningKeys } from "./signing-keys.ts";

/** What the environment says about Teams. */
export interface TeamsSettings {
  readonly appId: string;
  readonly appPassword: string;
  /** In lower case. */
  readonly tenantId: string;
  readonly loginUrl: string;
  readonly openIdMetadataUrl: string;
  readonly serviceUrlHosts: readonly string[];
  readonly linkByEmail: boolean;
}

export interface TeamsPorts {
  readonly addresses: AddressBook;
  readonly now: () => Instant;
  readonly log: TeamsLog;
}

export interface TeamsParts {
  /** Made with the prefix "": in Teams people just write. */
  readonly chat: Chat;
  readonly people: ChatPeople;
  readonly cards: CardService;
  readonly refusals: Services["refusals"];
}

export interface TeamsLog {
  warn(about: object, message: string): void;
  error(about: object, message: string): void;
}

/** Microsoft Teams, as one surface among others. */
export interface Teams {
  readonly messenger: Messenger;
  /** Lets people in: `mount` adds `POST /api/messages` to a scope of its own. */
  open(parts: TeamsParts): { readonly mount: FastifyPluginAsync };
  /** Loads the SDK and tries our own sign-in; when that fails the log says so, and it is tried again when needed. */
  start(): void;
  /** Waits for what is being answered. */
  stop(): Promise<void>;
}

/** Teams, as far as it can be without the services: those need the messenger first. */
export function createTeams(settings: TeamsSettings, { addresses, now, log }: TeamsPorts): Teams {
  const onFault = (err: unknown): void => log.error({ err }, "teams: fault");
  const cloud = cloudOf(settings.openIdMetadataUrl);
  const tokens = createAccessTokens(settings, cloud.scope, now);
  const connector = createConnector(settings, tokens);
  const conversations = createConversations(addresses, settings.tenantId, now);
  const pace = createPace(now);
  const background = createBackground(onFault);
  const bot = createLazyBot(settings, cloud, tokens);
  const onRejected = (why: string): void => log.warn({ why }, "teams: a call was refused");
  const { tenantId } = settings;

  return {
    messenger: createTeamsMessenger({ connector, conversations, pace, now, tenantId }),
    open({ chat, cards, people, refusals }) {
      const shared = { connector, conversations, background, now, onFault };
      const known = createTeamsPeople(settings, { ...shared, people, refusals });
      const recorded = createRecordedAnswers(cards);
      const replying = createReplying({ ...shared, pace, wait, recorded });
      const inbound = createInbound({ ...shared, chat, cards, people: known, replying, recorded });
      const keys = createSigningKeys(settings.openIdMetadataUrl, now);
      const authentication = createAuthentication(settings, cloud, keys, now);
      return { mount: createMount({ authentication, bot, inbound, people: known, onRejected }) };
    },
    start() {
      background.start(async () => {
        await bot();
        await tokens
          .get()
          .catch((err: unknown) => log.warn({ err }, "teams: Microsoft does not let us sign in"));
      });
    },
    stop: () => background.settled(),
  };
}

/** Half a second and 50 MB that nobody pays who has no Teams, and those who have it not before they listen. */
function createLazyBot(settings: TeamsSettings, cloud: Cloud, tokens: AccessTokens): () => Promise<Bot> {
  let loading: Promise<Bot> | undefined;
  return () => {
    loading ??= import("./bot.ts").then(({ createBot }) => createBot(settings, cloud, tokens));
    return loading;
  };
}

async function wait(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, ms);
  return promise;
}

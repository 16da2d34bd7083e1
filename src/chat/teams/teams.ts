import type { FastifyPluginAsync } from "fastify";
import type { Instant } from "../../core/values/ids.ts";
import type { Chat } from "../conversation/chat.ts";
import type { AddressBook } from "../../service/people/address-book.ts";
import type { AccountLinks } from "../../service/messaging/account-links.ts";
import type { CardService } from "../../service/messaging/card-source.ts";
import type { Messenger } from "../../service/messaging/messenger.ts";
import type { Services } from "../../service/services.ts";
import { createAccessTokens, type AccessTokens } from "./connection/access-token.ts";
import { createAuthentication } from "./inbound/authentication.ts";
import { createBackground } from "./inbound/background-tasks.ts";
import type { Bot } from "./connection/bot.ts";
import { cloudOf, type Cloud } from "./connection/cloud.ts";
import { createBotConnector } from "./connection/bot-connector.ts";
import { createConversations } from "./people/conversation-references.ts";
import { createInbound } from "./inbound/inbound.ts";
import { createMount } from "./inbound/mount.ts";
import { createTeamsMessenger } from "./outbound/messenger.ts";
import { createSendRateLimiter } from "./outbound/rate-limit.ts";
import { createTeamsPeople } from "./people/people.ts";
import { createRecordedAnswers } from "./inbound/recorded-answers.ts";
import { createResponder } from "./inbound/responder.ts";
import { createSigningKeys } from "./inbound/signing-keys.ts";

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

export interface TeamsDeps {
  /** Made with the prefix "": in Teams people just write. */
  readonly chat: Chat;
  readonly accountLinks: AccountLinks;
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
  open(deps: TeamsDeps): { readonly mount: FastifyPluginAsync };
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
  const connector = createBotConnector(settings, tokens);
  const conversations = createConversations(addresses, settings.tenantId, now);
  const rateLimiter = createSendRateLimiter(now);
  const background = createBackground(onFault);
  const bot = createLazyBot(settings, cloud, tokens);
  const onRejected = (why: string): void => log.warn({ why }, "teams: a call was refused");
  const { tenantId } = settings;

  return {
    messenger: createTeamsMessenger({ connector, conversations, rateLimiter, now, tenantId }),
    open({ chat, cards, accountLinks, refusals }) {
      const shared = { connector, conversations, background, now, onFault };
      const known = createTeamsPeople(settings, { ...shared, accountLinks, refusals });
      const recorded = createRecordedAnswers(cards);
      const replying = createResponder({ ...shared, rateLimiter, wait, recorded });
      const inbound = createInbound({ ...shared, chat, cards, people: known, responder: replying, recorded });
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
    loading ??= import("./connection/bot.ts").then(({ createBot }) => createBot(settings, cloud, tokens));
    return loading;
  };
}

async function wait(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, ms);
  return promise;
}

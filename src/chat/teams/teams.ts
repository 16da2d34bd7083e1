import type { FastifyPluginAsync } from "fastify";
import type { Instant } from "../../core/values/ids.ts";
import type { Chat } from "../conversation/chat.ts";
import type { AddressBook } from "../../service/people/address-book.ts";
import type { AccountLinks } from "../../service/messaging/account-links.ts";
import type { CardService } from "../../service/requests/card-source.ts";
import type { Messenger } from "../../service/messaging/messenger.ts";
import type { Services } from "../../service/services.ts";
import { createAccessTokens, type AccessTokens } from "./connection/access-token.ts";
import type { TeamsLog, TeamsSettings } from "./connection/settings.ts";
import { createAuthentication } from "./inbound/authentication.ts";
import { createBackgroundTasks } from "./inbound/background-tasks.ts";
import type { Bot } from "./connection/bot.ts";
import { cloudOf, type Cloud } from "./connection/cloud.ts";
import { createBotConnector } from "./connection/bot-connector.ts";
import { createConversationReferences } from "./people/conversation-references.ts";
import { createInbound } from "./inbound/inbound.ts";
import { createMount } from "./inbound/mount.ts";
import { createTeamsMessenger } from "./outbound/messenger.ts";
import { createSendRateLimiter } from "./outbound/rate-limit.ts";
import { createTeamsPeople } from "./people/people.ts";
import { createRecordedAnswers } from "./inbound/recorded-answers.ts";
import { createResponder } from "./inbound/responder.ts";
import { createSigningKeys } from "./inbound/signing-keys.ts";

export interface TeamsPorts {
  readonly addresses: AddressBook;
  readonly now: () => Instant;
  readonly log: TeamsLog;
}

export interface TeamsDeps {
  /** Created with the prefix "", because in Teams people write commands without a slash. */
  readonly chat: Chat;
  readonly accountLinks: AccountLinks;
  readonly cards: CardService;
  readonly refusals: Services["refusals"];
}

/** Microsoft Teams as one surface. */
export interface Teams {
  readonly messenger: Messenger;
  /** Starts to handle what Teams sends; `mount` adds `POST /api/messages`. */
  open(deps: TeamsDeps): { readonly mount: FastifyPluginAsync };
  /** Loads the SDK and tries to sign in. A failure is logged, and the next call tries again. */
  start(): void;
  /** Waits for the answers that are in progress. */
  stop(): Promise<void>;
}

/** Teams is created before the services, because they need its messenger; `open` gives it the rest. */
export function createTeams(settings: TeamsSettings, { addresses, now, log }: TeamsPorts): Teams {
  const onFault = (err: unknown): void => log.error({ err }, "teams: error");
  const cloud = cloudOf(settings.openIdMetadataUrl);
  const tokens = createAccessTokens(settings, cloud.scope, now);
  const connector = createBotConnector(settings, tokens);
  const conversations = createConversationReferences(addresses, settings.tenantId, now);
  const rateLimiter = createSendRateLimiter(now);
  const backgroundTasks = createBackgroundTasks(onFault);
  const bot = createLazyBot(settings, cloud, tokens);
  const onRejected = (why: string): void => log.warn({ why }, "teams: request rejected");
  const { tenantId } = settings;

  return {
    messenger: createTeamsMessenger({ connector, conversations, rateLimiter, now, tenantId }),
    open({ chat, cards, accountLinks, refusals }) {
      const shared = { connector, conversations, backgroundTasks, now, onFault };
      const people = createTeamsPeople(settings, { ...shared, accountLinks, refusals });
      const recordedAnswers = createRecordedAnswers(cards);
      const responder = createResponder({ ...shared, rateLimiter, wait, recordedAnswers });
      const inbound = createInbound({ ...shared, chat, cards, people, responder, recordedAnswers });
      const keys = createSigningKeys(settings.openIdMetadataUrl, now);
      const authentication = createAuthentication(settings, cloud, keys, now);
      return { mount: createMount({ authentication, bot, inbound, people, onRejected }) };
    },
    start() {
      backgroundTasks.start(async () => {
        await bot();
        await tokens.get().catch((err: unknown) => log.warn({ err }, "teams: sign-in failed"));
      });
    },
    stop: () => backgroundTasks.settled(),
  };
}

/** Loads the SDK on first use, because it costs half a second and 50 MB. */
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

import type { Instant } from "../core/ids.ts";
import type { Chat } from "../chat/chat.ts";
import type { AddressBook } from "../service/address-book.ts";
import type { CardService, ChatPeople } from "../service/chat-people.ts";
import type { Messenger } from "../service/messenger.ts";
import type { Services } from "../service/services.ts";
import { createAccessTokens } from "./access-token.ts";
import { createAuthentication } from "./authenticate.ts";
import { createBackground } from "./background.ts";
import type { Bot } from "./bot.ts";
import { cloudOf } from "./cloud.ts";
import { createConnector } from "./connector.ts";
import { createConversations } from "./conversations.ts";
import { createInbound } from "./inbound.ts";
import { createMount } from "./mount.ts";
import { createTeamsMessenger } from "./outbound.ts";
import { createPace } from "./pace.ts";
import { createTeamsPeople } from "./people.ts";
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
  readonly services: Pick<Services, "refusals">;
  /** Made with the prefix "": in Teams people just write. */
  readonly chat: Chat;
  readonly people: ChatPeople;
  readonly cards: CardService;
  readonly addresses: AddressBook;
  readonly log: TeamsLog;
  readonly now: () => Instant;
}

export interface TeamsLog {
  info(about: object, message: string): void;
  warn(about: object, message: string): void;
  error(about: object, message: string): void;
}

/** Microsoft Teams, as one surface among others. */
export interface Teams {
  readonly messenger: Messenger;
  /** Adds `POST /api/messages` to a scope of its own. */
  readonly mount: ReturnType<typeof createMount>;
  /** Loads the SDK and tries our own sign-in; when that fails the log says so, and it is tried again when needed. */
  start(): Promise<void>;
  /** Waits for what is being answered. */
  stop(): Promise<void>;
}

export function createTeams(settings: TeamsSettings, ports: TeamsPorts): Teams {
  const { addresses, chat, cards, log, now } = ports;
  const onFault = (err: unknown): void => log.error({ err, surface: "teams" }, "fault");
  const cloud = cloudOf(settings.openIdMetadataUrl);
  const tokens = createAccessTokens(settings, cloud.scope, now);
  const connector = createConnector(settings, tokens);
  const conversations = createConversations(addresses, settings.tenantId);
  const pace = createPace(now);
  const background = createBackground(onFault);
  const { refusals } = ports.services;
  const people = createTeamsPeople(settings, {
    connector,
    conversations,
    people: ports.people,
    refusals,
    now,
    onFault,
  });
  const replying = createReplying({ connector, conversations, pace, background, wait, onFault });
  const inbound = createInbound({
    chat,
    cards,
    people,
    conversations,
    replying,
    background,
    now,
    onFault,
  });
  const keys = createSigningKeys(settings.openIdMetadataUrl, now);
  const authentication = createAuthentication(settings, cloud, keys, now);

  let loading: Promise<Bot> | undefined;
  const bot = (): Promise<Bot> => {
    // Half a second and 50 MB that nobody pays who has no Teams.
    loading ??= import("./bot.ts").then(({ createBot }) => createBot(settings, cloud, tokens));
    return loading;
  };

  return {
    messenger: createTeamsMessenger({ connector, conversations, pace, tenantId: settings.tenantId }),
    mount: createMount({
      authentication,
      bot,
      inbound,
      people,
      onRejected: (why) => log.warn({ surface: "teams", why }, "call refused"),
    }),
    async start() {
      await bot();
      try {
        await tokens.get();
      } catch (err) {
        log.warn({ err, surface: "teams" }, "Microsoft does not let us sign in");
      }
    },
    stop: () => background.settled(),
  };
}

async function wait(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, ms);
  return promise;
}

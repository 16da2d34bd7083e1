import type { FastifyPluginAsync } from "fastify";
import type { Logger } from "pino";
import type { Chat } from "../chat/conversation/chat.ts";
import type { Settings } from "../config/environment.ts";
import type { Instant } from "../core/values/ids.ts";
import type { AddressBook } from "../service/people/address-book.ts";
import type { Messenger } from "../service/messaging/messenger.ts";
import type { Services } from "../service/services.ts";
import type { UserGroups } from "../service/ports/user-groups.ts";

/** What every chat platform has in common, once it is built. */
interface ChatSurface {
  readonly messenger: Messenger;
  readonly userGroups?: UserGroups;
  /** How commands begin there. */
  readonly prefix?: string;
  /** From here on people are listened to. */
  open(deps: SurfaceDeps): { readonly mount: FastifyPluginAsync | undefined };
  start(): void;
  stop(): Promise<void>;
}

interface SurfaceDeps extends Pick<Services, "accountLinks" | "cards" | "refusals"> {
  readonly chat: Chat;
  readonly now: () => Instant;
}

/** What a surface may need before there are services. */
interface SurfacePorts {
  readonly addresses: (surface: string) => AddressBook;
  readonly now: () => Instant;
}

export interface ChatSurfaces {
  readonly all: readonly ChatSurface[];
  readonly userGroups: UserGroups | undefined;
  /** Their doors in our server. */
  open(services: Services): Promise<readonly FastifyPluginAsync[]>;
  start(): void;
  stop(): Promise<void>;
}

/** The chat platforms this installation has; the code of one is loaded only where it is configured. */
export async function createChatSurfaces(
  settings: Settings,
  { addresses, now }: SurfacePorts,
  log: Logger,
): Promise<ChatSurfaces> {
  const all: ChatSurface[] = [];
  if (settings.slack !== undefined) {
    const { createSlack } = await import("../chat/slack/slack.ts");
    all.push(await createSlack(settings.slack, log));
  }
  if (settings.teams !== undefined) {
    const { createTeams } = await import("../chat/teams/teams.ts");
    const teams = createTeams(settings.teams, { addresses: addresses("teams"), now, log });
    // People there just write to us, or mention us first.
    all.push({ ...teams, prefix: "" });
  }
  return {
    all,
    userGroups: all.find((one) => one.userGroups !== undefined)?.userGroups,
    async open(services) {
      if (all.length === 0) return [];
      const { createChat } = await import("../chat/conversation/chat.ts");
      const { accountLinks, cards, refusals } = services;
      return all.flatMap((one) => {
        const prefix = one.prefix !== undefined && { prefix: one.prefix };
        const chat = createChat({ services, accountLinks, cards, now, ...prefix });
        return one.open({ chat, accountLinks, cards, refusals, now }).mount ?? [];
      });
    },
    start: () => {
      for (const one of all) one.start();
    },
    stop: async () => {
      await Promise.all(all.map((one) => one.stop()));
    },
  };
}

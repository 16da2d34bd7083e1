import type { FastifyPluginAsync } from "fastify";
import type { Logger } from "pino";
import type { Chat } from "../chat/conversation/chat.ts";
import type { Settings } from "../config/environment.ts";
import type { Instant } from "../core/values/ids.ts";
import type { AddressBook } from "../service/people/address-book.ts";
import type { Messenger } from "../service/messaging/messenger.ts";
import type { Services } from "../service/services.ts";
import type { UserGroups } from "../service/ports/user-groups.ts";

/** What Slack and Teams have in common. */
interface ChatSurface {
  readonly messenger: Messenger;
  readonly userGroups?: UserGroups;
  /** The text that begins a command there. */
  readonly prefix?: string;
  /** Connects the surface to the services. It receives nothing before {@link start}. */
  open(deps: SurfaceDeps): { readonly mount: FastifyPluginAsync | undefined };
  start(): void;
  stop(): Promise<void>;
}

interface SurfaceDeps extends Pick<Services, "accountLinks" | "cards" | "refusals"> {
  readonly chat: Chat;
  readonly now: () => Instant;
}

/** What a surface needs before the services exist. */
interface SurfacePorts {
  readonly addresses: (surface: string) => AddressBook;
  readonly now: () => Instant;
}

export interface ChatSurfaces {
  readonly all: readonly ChatSurface[];
  readonly userGroups: UserGroups | undefined;
  /** Connects the surfaces to the services. Returns their endpoints for the HTTP server. */
  open(services: Services): Promise<readonly FastifyPluginAsync[]>;
  start(): void;
  stop(): Promise<void>;
}

/** Creates the configured chat platforms. The code of the others is not loaded. */
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
    // In Teams people write to the bot or mention it, without a command prefix.
    all.push({ ...teams, prefix: "" });
  }
  return {
    all,
    userGroups: all.find(({ userGroups }) => userGroups !== undefined)?.userGroups,
    async open(services) {
      if (all.length === 0) return [];
      const { createChat } = await import("../chat/conversation/chat.ts");
      const { accountLinks, cards, refusals } = services;
      return all.flatMap((surface) => {
        const prefix = surface.prefix !== undefined && { prefix: surface.prefix };
        const chat = createChat({ services, accountLinks, cards, now, ...prefix });
        return surface.open({ chat, accountLinks, cards, refusals, now }).mount ?? [];
      });
    },
    start: () => {
      for (const surface of all) surface.start();
    },
    stop: async () => {
      await Promise.all(all.map((surface) => surface.stop()));
    },
  };
}

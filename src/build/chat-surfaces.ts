import type { FastifyPluginAsync } from "fastify";
import type { Logger } from "pino";
import { createChat } from "../chat/chat.ts";
import type { Settings } from "../config/environment.ts";
import type { Instant } from "../core/ids.ts";
import type { Messenger } from "../service/messenger.ts";
import type { Services } from "../service/services.ts";
import type { UserGroups } from "../service/user-groups.ts";

/** What every chat platform has in common, once it is built. */
interface ChatSurface {
  readonly messenger: Messenger;
  readonly userGroups?: UserGroups;
  /** From here on people are listened to. */
  open(parts: SurfaceParts): { readonly mount: FastifyPluginAsync | undefined };
  start(): void;
  stop(): Promise<void>;
}

interface SurfaceParts extends Pick<Services, "people" | "cards" | "refusals"> {
  readonly chat: ReturnType<typeof createChat>;
  readonly now: () => Instant;
}

export interface ChatSurfaces {
  readonly all: readonly ChatSurface[];
  readonly userGroups: UserGroups | undefined;
  /** Their doors in our server. */
  open(services: Services, now: () => Instant): readonly FastifyPluginAsync[];
  start(): void;
  stop(): Promise<void>;
}

/** The chat platforms this installation has; the code of one is loaded only where it is configured. */
export async function createChatSurfaces(settings: Settings, log: Logger): Promise<ChatSurfaces> {
  const all: ChatSurface[] = [];
  if (settings.slack !== undefined) {
    const { createSlack } = await import("../slack/slack.ts");
    all.push(await createSlack(settings.slack, log));
  }
  return {
    all,
    userGroups: all.find((one) => one.userGroups !== undefined)?.userGroups,
    open(services, now) {
      const { people, cards, refusals } = services;
      const chat = createChat({ services, people, cards, now });
      return all.flatMap((one) => one.open({ chat, people, cards, refusals, now }).mount ?? []);
    },
    start: () => {
      for (const one of all) one.start();
    },
    stop: async () => {
      await Promise.all(all.map((one) => one.stop()));
    },
  };
}

import type { FastifyPluginAsync } from "fastify";
import type { Actor } from "../../core/access/access-request.ts";
import { refuse } from "../../core/values/refusals.ts";
import type { Instant } from "../../core/values/ids.ts";
import type { Chat } from "../conversation/chat.ts";
import type { AccountLinks } from "../../service/messaging/account-links.ts";
import type { CardService } from "../../service/requests/card-source.ts";
import type { Messenger } from "../../service/messaging/messenger.ts";
import type { Services } from "../../service/services.ts";
import type { UserGroups } from "../../service/ports/user-groups.ts";
import { createSlackBot, type SlackBot } from "./connection/bot.ts";
import { showHome } from "./inbound/app-home.ts";
import { listen } from "./inbound/inbound.ts";
import { createOpenAppHomes, type OpenAppHomes } from "./inbound/open-app-homes.ts";
import { createMount } from "./inbound/mount.ts";
import { createSlackMessenger } from "./outbound/messenger.ts";
import { createSlackPeople, type SenderIds } from "./people/people.ts";
import type { SlackLog, SlackSettings } from "./connection/settings.ts";
import { createSlackUserGroups } from "./people/user-groups.ts";

export interface Slack {
  readonly messenger: Messenger;
  readonly userGroups: UserGroups;
  /** Starts to handle what Slack sends; `mount` is undefined in socket mode. */
  open(deps: SlackDeps): { readonly mount: FastifyPluginAsync | undefined };
  start(): void;
  stop(): Promise<void>;
}

export interface SlackDeps {
  readonly chat: Chat;
  readonly accountLinks: AccountLinks;
  readonly cards: CardService;
  readonly refusals: Services["refusals"];
  readonly now: () => Instant;
}

/**
 * Slack as one surface. It is created before the services, because they need its messenger; `open` gives it the rest.
 *
 * @param now Milliseconds of a monotonic clock, for the rate limit of updates.
 */
export async function createSlack(
  settings: SlackSettings,
  log: SlackLog,
  now: () => number = () => performance.now(),
): Promise<Slack> {
  const bot = await createSlackBot(settings, log);
  const teamId = (): string | undefined => bot.team()?.teamId ?? settings.teamId;
  let openHomes: OpenAppHomes | undefined;
  return {
    messenger: createSlackMessenger(bot.client, teamId, {
      now,
      onWritten: (channel) => openHomes?.changedAt(channel),
    }),
    userGroups: createSlackUserGroups(bot.client, teamId),
    open(deps) {
      const opened = open(bot, settings, deps, log);
      ({ homes: openHomes } = opened);
      return opened;
    },
    start: () => bot.start(),
    async stop() {
      openHomes?.stop();
      await bot.stop();
    },
  };
}

function open(bot: SlackBot, settings: SlackSettings, deps: SlackDeps, log: SlackLog) {
  const { chat, accountLinks, cards, refusals, now } = deps;
  const { client, app, team } = bot;
  const record = async (actor: Actor, verb: string, refusal: ReturnType<typeof refuse>): Promise<void> => {
    await refusals
      .record(actor, { action: "decision.refused", verb }, refusal, now())
      .catch((err: unknown) => log.error({ err }, "slack: refusal not recorded"));
  };
  const people = createSlackPeople({ accountLinks, client, team, linkByEmail: settings.linkByEmail, now });
  const openHomes = createOpenAppHomes(async (userId) => {
    await showHome(
      { people, client, chat },
      { userId, teamId: team()?.teamId, enterpriseId: undefined },
    ).catch((err: unknown) => log.warn({ err }, "slack: App Home update failed"));
  }, now);
  listen({
    app,
    client,
    chat,
    cards,
    people,
    openHomes,
    recordRejected: (ids, refusal, verb) => record(unknownActor(ids), verb.split(" ")[0] ?? "", refusal),
  });
  logInstallationChanges(bot, log);
  const { handle } = bot;
  if (handle === undefined) return { mount: undefined, homes: openHomes };
  const onForged = (address: string): void => {
    log.warn({ address }, "slack: invalid signature");
    void record(
      unverified,
      "call",
      refuse("unauthenticated", "The call was not signed by Slack, or is too old."),
    );
  };
  return { mount: createMount({ handle, now, onForged }), homes: openHomes };
}

const unverified: Actor = { type: "system", id: "slack", name: "unverified call", via: "slack" };

/** A sender without an identity, named by the ids of the signed payload. */
function unknownActor({ teamId = "?", userId }: SenderIds): Actor {
  return { type: "human", id: `slack:${teamId}:${userId}`, name: "not linked", via: "slack" };
}

/** Logs when the app loses its installation or token, because the operator has to act. */
function logInstallationChanges({ app }: SlackBot, log: SlackLog): void {
  app.event("app_uninstalled", async () =>
    log.error({}, "slack: app uninstalled, no messages can be sent; install it again"),
  );
  app.event("tokens_revoked", async () => log.error({}, "slack: token revoked; install the app again"));
}

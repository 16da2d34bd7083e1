import type { FastifyPluginAsync } from "fastify";
import type { Actor } from "../../core/access/access-request.ts";
import { refuse } from "../../core/values/refusals.ts";
import type { Instant } from "../../core/values/ids.ts";
import type { Chat } from "../conversation/chat.ts";
import type { AccountLinks } from "../../service/messaging/account-links.ts";
import type { CardService } from "../../service/messaging/card-source.ts";
import type { Messenger } from "../../service/messaging/messenger.ts";
import type { Services } from "../../service/services.ts";
import type { UserGroups } from "../../service/ports/user-groups.ts";
import { createSlackBot, type SlackBot } from "./connection/bot.ts";
import { showHome } from "./inbound/app-home.ts";
import { listen } from "./inbound/inbound.ts";
import { createOpenAppHomes, type OpenAppHomes } from "./inbound/open-app-homes.ts";
import { slackMount } from "./inbound/mount.ts";
import { createSlackMessenger } from "./outbound/messenger.ts";
import { createSlackPeople, type Sender } from "./people/people.ts";
import type { SlackLog, SlackSettings } from "./connection/settings.ts";
import { createSlackUserGroups } from "./people/user-groups.ts";

export interface Slack {
  readonly messenger: Messenger;
  readonly userGroups: UserGroups;
  /** Lets people in: from here on Slack is listened to. */
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
 * Slack, as far as it can be without the services: those need the messenger first.
 *
 * @param now Milliseconds of any clock that goes on, for the pace of messages.
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
      .catch((err: unknown) => log.error({ err }, "slack: a refusal was not recorded"));
  };
  const known = createSlackPeople({ accountLinks, client, team, linkByEmail: settings.linkByEmail, now });
  const openHomes = createOpenAppHomes(async (userId) => {
    await showHome(
      { known, client, chat },
      { userId, teamId: team()?.teamId, enterpriseId: undefined },
    ).catch((err: unknown) => log.warn({ err }, "slack: a home was not shown anew"));
  }, now);
  listen({
    app,
    client,
    chat,
    cards,
    known,
    openHomes,
    recordRejected: (sender, { refusal }, verb) =>
      record(unlinkedActor(sender), verb.split(" ")[0] ?? "", refusal),
  });
  listenToChanges(bot, log);
  const { take } = bot;
  if (take === undefined) return { mount: undefined, homes: openHomes };
  const onForged = (address: string): void => {
    log.warn({ address }, "slack: a call without a valid signature was refused");
    void record(
      unverified,
      "call",
      refuse("unauthenticated", "The call was not signed by Slack, or is too old."),
    );
  };
  return { mount: slackMount({ take, now, onForged }), homes: openHomes };
}

const unverified: Actor = { type: "system", id: "slack", name: "unverified call", via: "slack" };

/** Somebody who is nobody we know, by the ids that the signed payload says. */
function unlinkedActor({ teamId = "?", userId }: Sender): Actor {
  return { type: "human", id: `slack:${teamId}:${userId}`, name: "not linked", via: "slack" };
}

/** What the operator has to hear of. */
function listenToChanges({ app }: SlackBot, log: SlackLog): void {
  app.event("app_uninstalled", async () =>
    log.error({}, "slack: the app was uninstalled; nobody is told anything there"),
  );
  app.event("tokens_revoked", async () =>
    log.error({}, "slack: our token was revoked; install the app again"),
  );
}

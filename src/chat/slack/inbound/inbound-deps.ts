import type { App } from "@slack/bolt";
import type { Refusal } from "../../../core/values/refusals.ts";
import type { CardService } from "../../../service/requests/card-source.ts";
import type { Chat } from "../../conversation/chat.ts";
import type { SlackClient } from "../connection/slack-client.ts";
import type { SenderIds, SlackPeople } from "../people/people.ts";
import type { OpenAppHomes } from "./open-app-homes.ts";

/** Slack expects an acknowledgement within 3 s. An answer that takes longer than this follows as a message of its own. */
export const ackWithinMs = 1_200;

export interface InboundDeps {
  readonly app: App;
  readonly client: SlackClient;
  readonly chat: Chat;
  readonly cards: CardService;
  readonly people: SlackPeople;
  readonly openHomes: Pick<OpenAppHomes, "opened">;
  /** Records that a sender without an identity was refused. */
  readonly recordRejected: (ids: SenderIds, refusal: Refusal, verb: string) => Promise<void>;
}

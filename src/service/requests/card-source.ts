import type { IdentityId } from "../../core/values/ids.ts";
import type { Refusal } from "../../core/values/refusals.ts";
import type { Card, Audience } from "../views/card.ts";
import type { Caller } from "../ports/caller.ts";
import type { NotifyChannel } from "../../core/access/access-request.ts";
import type { ShownRequest } from "../decisions/stored-request.ts";
import type { MessageRef } from "../messaging/messenger.ts";

/** A message with buttons about one request, posted as an answer to a person. */
export interface PostedAnswer {
  readonly surface: NotifyChannel;
  readonly address: string;
  /** Where it is. */
  readonly ref: MessageRef;
  /** It contains a form that a person may be filling in. */
  readonly isForm: boolean;
}

/** Makes the cards that people see, from the state and the clock. */
export interface CardService {
  /** As this reader (null: a channel) may see it; undefined when there is no such request. */
  cardFor(id: string, audience: Audience, reader: IdentityId | null): Promise<Card | undefined>;
  /** For this caller, by their part in the request; refused when they have none. */
  cardOf(caller: Caller, id: string): Promise<Card | Refusal>;
  /** The version that a card built now would have; undefined when there is no such request. */
  versionOf(id: string): Promise<string | undefined>;
  /** The same from what a command has read, so that its answer reads nothing twice. */
  cardOfShown(caller: Caller, shown: ShownRequest): Promise<Card | Refusal>;
  /** From now on keeps a message up to date that was posted as an answer to this caller. */
  recordAnswer(caller: Caller, id: string, posted: PostedAnswer): Promise<void>;
}

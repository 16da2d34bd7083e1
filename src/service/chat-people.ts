import type { IdentityId } from "../core/ids.ts";
import type { Identity } from "../core/people.ts";
import type { Refusal } from "../core/refusals.ts";
import type { Card, Audience } from "./card.ts";
import type { Caller } from "./caller.ts";
import type { NotifyChannel } from "../core/access-request.ts";
import type { ChatAccount, MessageRef } from "./messenger.ts";

/** From accounts at chat platforms to the people we know, through explicit links only. */
export interface ChatPeople {
  /**
   * Who this account is, with the roles they have in chat: every linked human is requester and approver; administrators
   * and auditors are those the configuration names. Refused: `identity_not_linked`, `identity_inactive`.
   */
  callerOf(account: ChatAccount): Promise<Caller | Refusal>;
  /**
   * Links the account to the one active person without a link who has exactly this address, and says who they are. Only
   * to be called when the operator switched it on and the platform vouches for the address.
   */
  linkByEmail(account: ChatAccount, email: string): Promise<Caller | Refusal>;
  /** Sends administrators a card that links with one press. */
  askForLink(
    account: ChatAccount,
    who: { readonly displayName: string; readonly email: string | null },
  ): Promise<{ readonly asked: number } | Refusal>;
  /** From now on messages reach this account: whoever it belongs to gets what has been waiting for them. */
  becameReachable(account: ChatAccount): Promise<void>;
  /** An administrator links an account to a person. */
  link(caller: Caller, account: ChatAccount, identityId: string): Promise<Identity | Refusal>;
}

/** A message that answers somebody, with buttons about one request. */
export interface PostedAnswer {
  readonly surface: NotifyChannel;
  readonly address: string;
  /** Where it is. */
  readonly ref: MessageRef;
  /** A form that somebody may be filling in. */
  readonly isForm: boolean;
}

/** The cards people see, made fresh from state and clock. */
export interface CardService {
  /** As this reader (null: a channel) may see it; undefined when there is no such request. */
  cardFor(id: string, audience: Audience, reader: IdentityId | null): Promise<Card | undefined>;
  /** The card as this caller's own part in the request makes it; refused when it is none of their business. */
  cardOf(caller: Caller, id: string): Promise<Card | Refusal>;
  /** Keeps a message that was posted as an answer to this caller true from now on. */
  recordAnswer(caller: Caller, id: string, posted: PostedAnswer): Promise<void>;
}

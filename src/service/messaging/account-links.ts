import type { Identity } from "../../core/values/identity.ts";
import type { Refusal } from "../../core/values/refusals.ts";

import type { Caller } from "../ports/caller.ts";

import type { ChatAccount } from "./messenger.ts";

/** From accounts at chat platforms to the people we know, through explicit links only. */
export interface AccountLinks {
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

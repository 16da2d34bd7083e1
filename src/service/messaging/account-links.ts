import type { Identity } from "../../core/values/identity.ts";
import type { Refusal } from "../../core/values/refusals.ts";

import type { Caller } from "../ports/caller.ts";

import type { ChatAccount } from "./messenger.ts";

/** Finds the person of a chat account, through explicit links only. */
export interface AccountLinks {
  /**
   * The person of this account, with their roles in chat. Every linked human is requester and approver; the
   * configuration names administrators and auditors. Refused: `identity_not_linked`, `identity_inactive`.
   */
  callerOf(account: ChatAccount): Promise<Caller | Refusal>;
  /**
   * Links the account to the one active person with exactly this address and no link, and returns them. Call it only
   * when the operator has enabled this and the platform has verified the address.
   */
  linkByEmail(account: ChatAccount, email: string): Promise<Caller | Refusal>;
  /** Sends administrators a card with which one press links the account. */
  askForLink(
    account: ChatAccount,
    who: { readonly displayName: string; readonly email: string | null },
  ): Promise<{ readonly asked: number } | Refusal>;
  /** Call it when messages reach this account: its owner then gets the messages that were waiting. */
  becameReachable(account: ChatAccount): Promise<void>;
  /** An administrator links an account to a person. */
  link(caller: Caller, account: ChatAccount, identityId: string): Promise<Identity | Refusal>;
}

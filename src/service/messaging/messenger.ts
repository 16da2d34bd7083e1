import type { NotifyChannel } from "../../core/access/access-request.ts";
import type { ServiceAlert } from "../../core/effects/effects.ts";
import type { NoticeKind } from "../../core/effects/notices.ts";
import type { ChatAccount, Identity } from "../../core/values/identity.ts";
import type { Card } from "../views/card.ts";

/** A channel through which people are notified. */
export type Surface = NotifyChannel;

export type { ChatAccount };

/** A short message next to the card: something has happened, or something has to be done. */
export type Note =
  /** `isOver`: the action it asks for is no longer possible, so it only reports the state of the request. */
  | {
      readonly about: "request";
      readonly notice: NoticeKind;
      readonly card: Card;
      readonly isOver?: boolean;
    }
  | {
      readonly about: "key";
      readonly notice: "key_made" | "key_expiring";
      readonly last4: string;
      readonly keyId: string;
      readonly mintedBy: string;
      readonly roles: readonly string[];
      readonly expiresAt: string | null;
    }
  /** An account was linked to the reader. `byName`: by whom; null: by the e-mail address the platform confirmed. */
  | { readonly about: "account_linked"; readonly account: ChatAccount; readonly byName: string | null }
  /** A user without a link asks administrators for one. `candidate`: who they seem to be. */
  | {
      readonly about: "link";
      readonly account: ChatAccount;
      readonly displayName: string;
      readonly email: string | null;
      readonly candidate: { readonly id: string; readonly name: string } | null;
    }
  /** An account whose user had asked for a link was linked. */
  | {
      readonly about: "linked";
      readonly account: ChatAccount;
      readonly identity: { readonly id: string; readonly name: string };
    }
  /** The service itself needs an administrator. */
  | { readonly about: "alert"; readonly alert: ServiceAlert };

/** Where a posted message is, as JSON in the platform's format. Stored with the delivery, opaque to everything else. */
export type MessageRef = string;

/** `gone`: the message can no longer be changed, so a new one must be posted. */
export type RewriteResult = "rewritten" | "gone";

/**
 * Sends messages on one surface. Every call is one attempt: it throws a {@link DeliveryFault} when it fails, and never
 * retries by itself. Addresses are opaque texts: a user, a channel, a mailbox.
 */
export interface Messenger {
  readonly surface: Surface;
  /** Posted messages can be changed, so cards are kept up to date. False for e-mail, which only sends notes. */
  readonly keepsCards: boolean;
  /** The address of this person; undefined: they cannot be reached here. Calls no other system. */
  addressOf(person: Identity): Promise<string | undefined>;
  /** The address of a channel reference such as `slack:C0APPROVALS`; undefined: not of this surface. */
  channelAddress(reference: string): string | undefined;
  /** The addresses of the people in a channel; undefined when the platform does not tell. */
  membersOf(channelAddress: string): Promise<ReadonlySet<string> | undefined>;
  /** Posts the card as a new message. */
  post(address: string, card: Card, signal: AbortSignal): Promise<MessageRef>;
  /**
   * Updates a posted message to the current card.
   *
   * @param isMisleading The message offers actions that are no longer possible. Where the platform limits the number of
   *   updates, it is updated before messages that are only outdated.
   */
  rewrite(ref: MessageRef, card: Card, signal: AbortSignal, isMisleading: boolean): Promise<RewriteResult>;
  /**
   * Sends a note once, in the thread of the same request's card where there is one. When that card is gone, the note is
   * sent on its own, so that it is not lost with the card.
   *
   * @returns Where the message is if it has buttons, because then it must be updated. Else null.
   */
  direct(
    address: string,
    note: Note,
    thread: MessageRef | null,
    signal: AbortSignal,
  ): Promise<MessageRef | null>;
  /** Updates a posted note. `open`: it still has buttons. */
  rewriteNote(ref: MessageRef, note: Note, signal: AbortSignal): Promise<"open" | "closed">;
}

/** An attempt to send or update a message failed. */
export class DeliveryFault extends Error {
  override readonly name = "DeliveryFault";
  /** Stable, for logs and the audit log: `rate_limited`, `timeout`, `channel_not_found`, … Never a secret. */
  readonly code: string;
  /** False: retrying is useless. */
  readonly retryable: boolean;
  /** The surface said when to retry. */
  readonly retryAfterMs?: number;
  /** True: the surface is unreachable for every message. */
  readonly isSurfaceDown: boolean;

  constructor(
    code: string,
    more: { readonly retryable: boolean; readonly retryAfterMs?: number; readonly isSurfaceDown?: boolean },
  ) {
    super(code);
    this.code = code;
    this.retryable = more.retryable;
    this.isSurfaceDown = more.isSurfaceDown ?? false;
    if (more.retryAfterMs !== undefined) this.retryAfterMs = more.retryAfterMs;
  }
}

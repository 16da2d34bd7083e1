import type { NotifyChannel } from "../../core/access/access-request.ts";
import type { ServiceAlert } from "../../core/effects/effects.ts";
import type { NoticeKind } from "../../core/effects/notices.ts";
import type { ChatAccount, Identity } from "../../core/values/identity.ts";
import type { Card } from "../views/card.ts";

/** A place that people are told things at. */
export type Surface = NotifyChannel;

export type { ChatAccount };

/** A short message beside the card: something has happened, or something is to be done. */
export type Note =
  /** `isOver`: what it asked for cannot be done any more, so it only says what has become of the request. */
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
  /** An account was linked to the reader; `byName`: by whom, null: by the platform's word for their address. */
  | { readonly about: "account_linked"; readonly account: ChatAccount; readonly byName: string | null }
  /** Somebody without a link asks administrators for one; `candidate` is who they seem to be. */
  | {
      readonly about: "link";
      readonly account: ChatAccount;
      readonly displayName: string;
      readonly email: string | null;
      readonly candidate: { readonly id: string; readonly name: string } | null;
    }
  /** An account that somebody wanted to be linked has been linked. */
  | {
      readonly about: "linked";
      readonly account: ChatAccount;
      readonly identity: { readonly id: string; readonly name: string };
    }
  /** Administrators are needed for the service itself. */
  | { readonly about: "alert"; readonly alert: ServiceAlert };

/** Where a posted message is, in the platform's own words, as JSON text; kept with the copy, opaque to everybody else. */
export type MessageRef = string;

/** `gone`: the message cannot be changed any more, so what it should say has to be said by a new one. */
export type RewriteResult = "rewritten" | "gone";

/**
 * One surface's way of telling. Every call is one attempt: it throws a {@link DeliveryFault} when it could not, and
 * never tries again by itself. Addresses are opaque texts: a user, a channel, a mailbox.
 */
export interface Messenger {
  readonly surface: Surface;
  /** Posted messages can be changed, so each is kept true. False for e-mail, where everything is said by notes. */
  readonly keepsCards: boolean;
  /** Where this person is told things; undefined: they cannot be reached here. Asks nobody outside. */
  addressOf(person: Identity): Promise<string | undefined>;
  /** Of a channel reference such as `slack:C0APPROVALS`; undefined: not of this surface. */
  channelAddress(reference: string): string | undefined;
  /** The addresses of the people in a channel; undefined: the platform does not say. */
  membersOf(channelAddress: string): Promise<ReadonlySet<string> | undefined>;
  /** Posts the card as a new message. */
  post(address: string, card: Card, signal: AbortSignal): Promise<MessageRef>;
  /**
   * Makes a posted message say what the card says now.
   *
   * @param isMisleading The message offers what cannot be done any more: it goes before those that are only behind, where
   *   the platform takes a limited number of rewrites.
   */
  rewrite(ref: MessageRef, card: Card, signal: AbortSignal, isMisleading: boolean): Promise<RewriteResult>;
  /**
   * Tells something once, below the copy of the same request where there is one. When that copy is gone, on its own: it
   * must not be lost with the message it was to stand below.
   *
   * @returns where the message is, when there are buttons on it: then it has to be kept true. Else null.
   */
  direct(
    address: string,
    note: Note,
    thread: MessageRef | null,
    signal: AbortSignal,
  ): Promise<MessageRef | null>;
  /** Makes a note that was posted say what it says now. `open`: there are still buttons on it. */
  rewriteNote(ref: MessageRef, note: Note, signal: AbortSignal): Promise<"open" | "closed">;
}

/** What became of an attempt to tell. */
export class DeliveryFault extends Error {
  override readonly name = "DeliveryFault";
  /** Stable, for logs and the audit trail: `rate_limited`, `timeout`, `channel_not_found`, … Never a secret. */
  readonly code: string;
  /** False: trying again changes nothing. */
  readonly retryable: boolean;
  /** The surface said when to come back. */
  readonly retryAfterMs?: number;
  /** True: nobody gets through to this surface at the moment, whoever the message is for. */
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

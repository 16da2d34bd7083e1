import { domainToASCII } from "node:url";
import { parseEmail } from "../../core/values/identity.ts";
import { secondMs } from "../../core/values/time.ts";
import { DeliveryFault, type Messenger } from "../../service/messaging/messenger.ts";
import { deliveryFaultOf } from "./delivery-faults.ts";
import { cardEmail, noteEmail, type EmailMessage } from "./mail.ts";
import type { ChatPlatform } from "./ways-to-act.ts";

export interface EmailSettings {
  /** May hold a password. Its query (`?requireTLS=false`) overrides our defaults. */
  readonly smtpUrl: string;
  /** An address, alone or as in `JIT Access <jit@company.com>`. */
  readonly from: string;
}

export interface EmailLog {
  warn(facts: object, message: string): void;
}

/** Time limits. An attempt must end well before the relay's own limit of 30 s. */
export interface EmailLimits {
  /** For connecting, up to the greeting of the server. */
  readonly connectMs: number;
  /** The longest silence of the server. */
  readonly silenceMs: number;
  readonly attemptMs: number;
}

const defaultLimits: EmailLimits = {
  connectMs: 5 * secondMs,
  silenceMs: 10 * secondMs,
  attemptMs: 20 * secondMs,
};

interface EmailOptions {
  readonly limits?: EmailLimits;
  readonly now?: () => number;
  /** The chat platforms that e-mails may mention; absent: all. */
  readonly chats?: readonly ChatPlatform[];
}

/**
 * Sends cards and notes as e-mails. Every note is an e-mail in the thread of its request. A sent e-mail cannot be
 * changed, so there are no cards to update.
 */
export function createEmail(
  settings: EmailSettings,
  log: EmailLog,
  { limits = defaultLimits, now = Date.now, chats }: EmailOptions = {},
): Messenger {
  const from = senderOf(settings.from);
  const domain = domainOf(from.address);
  const open = once(() => openTransport(settings.smtpUrl, limits));

  const send = async (to: string, email: EmailMessage, signal: AbortSignal): Promise<void> => {
    const timeout = AbortSignal.timeout(limits.attemptMs);
    try {
      const transport = await open();
      await transport.sendMail({
        from,
        to: { name: "", address: to },
        envelope: { from: from.address, to: [to] },
        subject: email.subject,
        text: email.text,
        html: email.html,
        messageId: email.messageId,
        ...(email.references.length > 0 && {
          inReplyTo: email.references.at(-1) ?? "",
          references: [...email.references],
        }),
        headers: { ...email.headers },
        disableFileAccess: true,
        disableUrlAccess: true,
        signal: AbortSignal.any([signal, timeout]),
      });
    } catch (error) {
      const fault = timeout.aborted
        ? new DeliveryFault("timeout", { retryable: true, isSurfaceDown: true })
        : signal.aborted
          ? new DeliveryFault("stopped", { retryable: true })
          : deliveryFaultOf(error);
      log.warn({ code: fault.code, retryable: fault.retryable, err: error }, "e-mail delivery failed");
      throw fault;
    }
  };
  const envelope = (to: string) => ({ to, domain, atMs: now(), ...(chats !== undefined && { chats }) });

  return {
    surface: "email",
    keepsCards: false,
    addressOf: async ({ email }) => email,
    channelAddress: (reference) =>
      reference.startsWith("email:") ? parseEmail(reference.slice("email:".length)) : undefined,
    membersOf: async () => undefined,
    async post(address, card, signal) {
      const email = cardEmail(card, envelope(address));
      await send(address, email, signal);
      return JSON.stringify({ messageId: email.messageId });
    },
    // A sent e-mail stays as it is; the next note reports the change.
    rewrite: async () => "rewritten",
    async direct(address, note, _thread, signal) {
      await send(address, noteEmail(note, envelope(address)), signal);
      return null;
    },
    rewriteNote: async () => "closed",
  };
}

/** The mail library is loaded with the first e-mail, so that it does not delay the start. */
async function openTransport(url: string, limits: EmailLimits) {
  const { createTransport } = await import("nodemailer");
  return createTransport({
    url,
    requireTLS: sendsPasswordOverNetwork(url),
    connectionTimeout: limits.connectMs,
    dnsTimeout: limits.connectMs,
    socketTimeout: limits.silenceMs,
  });
}

/** A password leaves this machine only encrypted, even if an attacker hides that the server supports TLS. */
function sendsPasswordOverNetwork(url: string): boolean {
  const { password, hostname } = new URL(url);
  return password !== "" && !/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

function once<T>(create: () => Promise<T>): () => Promise<T> {
  let created: Promise<T> | undefined;
  return () => {
    created ??= create();
    return created;
  };
}

function senderOf(from: string): { readonly name: string; readonly address: string } {
  const [, name = "", address = from] = /^([^<>]+) <([^<>]+)>$/.exec(from) ?? [];
  return { name, address };
}

/** The domain of our Message-IDs: the sender's, because it must not change while a thread lasts. */
function domainOf(address: string): string {
  const domain = domainToASCII(address.slice(address.lastIndexOf("@") + 1));
  return /^[a-z0-9.-]+$/.test(domain) ? domain : "jit-access.invalid";
}

import { DeliveryFault } from "../../service/messaging/messenger.ts";

/** What the mail library says about a failure. */
interface MailError {
  readonly code: string;
  /** The command that was answered or under way: `CONN`, `AUTH …`, `MAIL FROM`, `RCPT TO`, `DATA`. */
  readonly command: string;
  /** The server's reply code, when there was a reply. */
  readonly reply: number | undefined;
  /** Of the system: `connect`, `read`. */
  readonly syscall: string;
}

/** Before a connection is of any use; nobody's mail gets further. */
const beforeMail: ReadonlySet<string> = new Set([
  "EDNS",
  "ETLS",
  "ETIMEDOUT",
  "EAUTH",
  "ENOAUTH",
  "EOAUTH2",
  "EPROXY",
]);
/** On the way; the same mail can go through on a new connection. */
const onTheWay: ReadonlySet<string> = new Set(["ECONNECTION", "ESOCKET", "EPROTOCOL", "ESTREAM"]);

/**
 * A failed attempt as the relay understands it. Only a final "no" to this recipient or this mail is worth no further
 * attempt: a wrong password or a refused sender is put right by the operator, and then everything goes out.
 */
export function deliveryFaultOf(error: unknown): DeliveryFault {
  const { code, command, reply, syscall } = mailErrorOf(error);
  if (reply !== undefined) return faultOfReply(reply, command);
  const isSurfaceDown = beforeMail.has(code) || syscall === "connect" || syscall === "getaddrinfo";
  return new DeliveryFault(code.toLowerCase(), {
    retryable: isSurfaceDown || onTheWay.has(code),
    isSurfaceDown,
  });
}

function faultOfReply(reply: number, command: string): DeliveryFault {
  const isAboutThisMail = command === "RCPT TO" || command === "DATA";
  const isSurfaceDown = reply === 421 || !isAboutThisMail;
  // 503: the session was in disorder, which says nothing about the mail.
  const isFinal = reply >= 500 && reply !== 503 && isAboutThisMail;
  return new DeliveryFault(`smtp_${reply}`, { retryable: !isFinal, isSurfaceDown });
}

function mailErrorOf(error: unknown): MailError {
  const field = (name: string): unknown =>
    typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined;
  const text = (name: string): string => {
    const value = field(name);
    return typeof value === "string" ? value : "";
  };
  const reply = field("responseCode");
  return {
    code: text("code") === "" ? "failed" : text("code"),
    command: text("command"),
    reply: typeof reply === "number" && reply >= 400 ? reply : undefined,
    syscall: text("syscall"),
  };
}

import { DeliveryFault } from "../../service/messaging/messenger.ts";

/** What the mail library reports about a failure. */
interface MailError {
  readonly code: string;
  /** The SMTP command that failed: `CONN`, `AUTH …`, `MAIL FROM`, `RCPT TO`, `DATA`. */
  readonly command: string;
  /** The server's reply code, if it replied. */
  readonly reply: number | undefined;
  /** The system call that failed, such as `connect` or `read`. */
  readonly syscall: string;
}

/** Failures before the connection is usable. They affect every e-mail. */
const connectionFailures: ReadonlySet<string> = new Set([
  "EDNS",
  "ETLS",
  "ETIMEDOUT",
  "EAUTH",
  "ENOAUTH",
  "EOAUTH2",
  "EPROXY",
]);
/** Failures while sending. The same e-mail can succeed on a new connection. */
const transferFailures: ReadonlySet<string> = new Set(["ECONNECTION", "ESOCKET", "EPROTOCOL", "ESTREAM"]);

/**
 * Translates a failed attempt for the relay. Only a permanent rejection of this recipient or this e-mail is not
 * retried: the operator can correct a wrong password or a rejected sender, and then every e-mail is delivered.
 */
export function deliveryFaultOf(error: unknown): DeliveryFault {
  const { code, command, reply, syscall } = mailErrorOf(error);
  if (reply !== undefined) return faultOfReply(reply, command);
  const isSurfaceDown = connectionFailures.has(code) || syscall === "connect" || syscall === "getaddrinfo";
  return new DeliveryFault(code.toLowerCase(), {
    retryable: isSurfaceDown || transferFailures.has(code),
    isSurfaceDown,
  });
}

function faultOfReply(reply: number, command: string): DeliveryFault {
  const isAboutThisEmail = command === "RCPT TO" || command === "DATA";
  const isSurfaceDown = reply === 421 || !isAboutThisEmail;
  // 503 means a bad sequence of commands, which says nothing about the e-mail.
  const isPermanent = reply >= 500 && reply !== 503 && isAboutThisEmail;
  return new DeliveryFault(`smtp_${reply}`, { retryable: !isPermanent, isSurfaceDown });
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

import { ConnectionTimeoutError, ErrorReply, SocketClosedUnexpectedlyError, SocketTimeoutError } from "redis";
import { ConnectorFault } from "../../service/ports/connector.ts";
import { networkCode, networkReason } from "../shared/network-reason.ts";

/** Which of our few kinds of fault an error of the driver is. Never repeats a command: it may hold the hash of a password. */
export function redisFault(name: string, error: unknown, signal: AbortSignal): ConnectorFault {
  if (error instanceof ConnectorFault) return error;
  if (signal.aborted) {
    return new ConnectorFault("timeout", `${name} took too long.`, { retryable: true, isTargetDown: true });
  }
  if (error instanceof ErrorReply) return serverFault(name, error.message);
  const code = networkCode(error);
  return new ConnectorFault("unreachable", `${name} cannot be reached (${code ?? "no answer"}).`, {
    retryable: true,
    isTargetDown: true,
    reason: networkReason(code) ?? driverReason(error),
  });
}

function driverReason(error: unknown): string | undefined {
  if (error instanceof ConnectionTimeoutError || error instanceof SocketTimeoutError) {
    return "it did not answer in time: look for a firewall on the way, and whether it wants TLS (rediss://)";
  }
  return error instanceof SocketClosedUnexpectedlyError
    ? "it cut the connection: look whether it wants TLS (rediss://)"
    : undefined;
}

/** By the word an error begins with; for people. */
const reasons: Readonly<Record<string, string>> = {
  WRONGPASS: "it does not accept the broker's name or password",
  NOAUTH: "it wants a password, and the url has none",
  NOPERM: "the broker lacks a right; jit connectors check says which",
  READONLY: "it is a read replica: point the url at the primary",
  LOADING: "it is loading its data",
  MASTERDOWN: "it is a replica that has lost its primary",
  CLUSTERDOWN: "its cluster is down",
  BUSY: "it is busy with a script",
  TRYAGAIN: "its cluster is being resharded",
  OOM: "its memory is full",
  MISCONF: "it cannot write to its disk",
  DENIED: "it runs in protected mode: it takes no connection from elsewhere without a password",
};

/** Errors that begin with ERR are told apart by their text, which is not repeated. */
const errors: readonly (readonly [RegExp, string])[] = [
  [
    /unknown command or category/i,
    "it does not know a command of the action; jit connectors check says which",
  ],
  [/not configured to use an acl file/i, "it has no aclfile, which aclSave needs"],
  [/DB index|invalid db/i, "the database of the url does not exist"],
  [/max number of clients/i, "it has no connection left"],
  [/unknown command/i, "it is no Redis of 7.0 or later"],
];

function serverFault(name: string, message: string): ConnectorFault {
  const word = /^-?([A-Z]{2,20})\b/.exec(message)?.[1] ?? "ERR";
  const text = `${name}: Redis says ${word}.`;
  const known = Object.hasOwn(reasons, word) ? reasons[word] : undefined;
  const reason = known ?? errors.find(([pattern]) => pattern.test(message))?.[1] ?? `it refused (${word})`;
  if (["LOADING", "MASTERDOWN", "CLUSTERDOWN", "BUSY", "TRYAGAIN"].includes(word)) {
    const down = { retryable: true, isTargetDown: true, hasAnswered: true };
    return new ConnectorFault("unreachable", text, { ...down, reason });
  }
  if (["NOPERM", "NOAUTH", "WRONGPASS"].includes(word)) {
    return new ConnectorFault("not_permitted", text, { retryable: false, reason });
  }
  return new ConnectorFault("refused", text, { retryable: word === "OOM", reason });
}

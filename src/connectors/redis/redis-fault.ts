import { ConnectionTimeoutError, ErrorReply, SocketClosedUnexpectedlyError, SocketTimeoutError } from "redis";
import { ConnectorFault } from "../../service/ports/connector.ts";
import { networkCode, networkReason } from "../shared/network-reason.ts";

/** Turns an error of the driver into a ConnectorFault. Never quotes a command: it may contain a password hash. */
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
    return "it did not answer in time: check for a firewall on the way, and whether it requires TLS (rediss://)";
  }
  return error instanceof SocketClosedUnexpectedlyError
    ? "it closed the connection: check whether it requires TLS (rediss://)"
    : undefined;
}

/** Explanations by the error prefix of Redis, for people. */
const reasons: Readonly<Record<string, string>> = {
  WRONGPASS: "it does not accept the broker's name or password",
  NOAUTH: "it requires a password, and the url has none",
  NOPERM: "the broker lacks a right; jit connectors check says which",
  READONLY: "it is a read replica: point the url at the primary",
  LOADING: "it is loading its data",
  MASTERDOWN: "it is a replica that has lost its primary",
  CLUSTERDOWN: "its cluster is down",
  BUSY: "it is busy with a script",
  TRYAGAIN: "its cluster is being resharded",
  OOM: "its memory is full",
  MISCONF: "it cannot write to its disk",
  DENIED: "it runs in protected mode: it rejects remote connections without a password",
};

/** Errors with the prefix ERR are recognised by their text, which is not quoted. */
const errors: readonly (readonly [RegExp, string])[] = [
  [
    /unknown command or category/i,
    "it does not know a command of the action; jit connectors check says which",
  ],
  [/not configured to use an acl file/i, "it has no aclfile, which aclSave needs"],
  [/DB index|invalid db/i, "the database of the url does not exist"],
  [/max number of clients/i, "it has no connection left"],
  [/unknown command/i, "it is not Redis 7.0 or later"],
];

function serverFault(name: string, message: string): ConnectorFault {
  const prefix = /^-?([A-Z]{2,20})\b/.exec(message)?.[1] ?? "ERR";
  const text = `${name}: Redis says ${prefix}.`;
  const known = Object.hasOwn(reasons, prefix) ? reasons[prefix] : undefined;
  const reason = known ?? errors.find(([pattern]) => pattern.test(message))?.[1] ?? `it refused (${prefix})`;
  if (["LOADING", "MASTERDOWN", "CLUSTERDOWN", "BUSY", "TRYAGAIN"].includes(prefix)) {
    const down = { retryable: true, isTargetDown: true, hasAnswered: true };
    return new ConnectorFault("unreachable", text, { ...down, reason });
  }
  if (["NOPERM", "NOAUTH", "WRONGPASS"].includes(prefix)) {
    return new ConnectorFault("not_permitted", text, { retryable: false, reason });
  }
  return new ConnectorFault("refused", text, { retryable: prefix === "OOM", reason });
}

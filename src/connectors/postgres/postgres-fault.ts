import { DatabaseError } from "pg";
import { networkCode, networkReason } from "../shared/network-reason.ts";
import { ConnectorFault } from "../../service/ports/connector.ts";

/** How far an attempt got. */
export interface AttemptProgress {
  readonly isTimeUp: boolean;
  readonly hasAnswered: boolean;
}

/** Turns an error of the driver into a ConnectorFault. Never quotes a statement: it may contain a verifier. */
export function postgresFault(
  name: string,
  error: unknown,
  { isTimeUp, hasAnswered }: AttemptProgress,
): ConnectorFault {
  if (error instanceof ConnectorFault) return error;
  if (isTimeUp) {
    return new ConnectorFault("timeout", `${name} took too long.`, {
      retryable: true,
      isTargetDown: !hasAnswered,
    });
  }
  if (error instanceof DatabaseError) return serverFault(name, error);
  // Everything else is a network error: unknown host, refused, reset or timed out.
  const code = networkCode(error);
  return new ConnectorFault("unreachable", `${name} cannot be reached (${code ?? "no answer"}).`, {
    retryable: true,
    isTargetDown: true,
    reason: networkReason(code) ?? driverReason(error),
  });
}

/** The driver's own errors have no code. Their text is matched, but not quoted. */
function driverReason(error: unknown): string | undefined {
  const text = error instanceof Error ? error.message : "";
  if (text.includes("does not support SSL"))
    return "it does not support TLS, which the url requires (sslmode)";
  if (/timeout/i.test(text)) return "it did not answer in time: check for a firewall on the way";
  if (/terminated|closed/i.test(text)) return "it closed the connection";
  return /password/i.test(text) ? "it requires a password, and the url has no usable one" : undefined;
}

/** Explanations by SQLSTATE, for people. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/^28P01$/, "it does not accept the broker's password"],
  [
    /^28000$/,
    "it does not let the broker in: check the role, and pg_hba.conf for the address, the database and TLS",
  ],
  [/^3D000$/, "the database of the url does not exist"],
  [/^53300$/, "it has no connection left"],
  [/^57P03$/, "it is starting up or shutting down"],
  [/^57P0[12]$/, "it was shut down, or ended our session"],
  [/^25006$/, "it is a read replica, or read-only: point the url at the primary"],
  [/^(42501|0LP01)$/, "the broker lacks a right; jit connectors check says which"],
  [/^(42704|0P000)$/, "a role of the configuration does not exist there"],
  [/^(55P03|40001|40P01|57014)$/, "something there is locked by somebody"],
  [/^2BP01$/, "something there depends on the role"],
  [/^53100$/, "its disk is full"],
  [/^53/, "it is out of resources"],
];

function answeredReason(state: string): string {
  return reasons.find(([pattern]) => pattern.test(state))?.[1] ?? `it refused (SQLSTATE ${state})`;
}

/** Classifies by SQLSTATE; see appendix A of the PostgreSQL documentation. */
function serverFault(name: string, error: DatabaseError): ConnectorFault {
  const state = error.code ?? "?????";
  const message = `${name}: PostgreSQL says ${state}: ${error.message.slice(0, 300)}`;
  const reason = answeredReason(state);
  // Shutting down, starting up, no connection left.
  if (/^57P0[1-5]$|^53300$|^08/.test(state)) {
    const down = { retryable: true, isTargetDown: true, hasAnswered: true };
    return new ConnectorFault("unreachable", message, { ...down, reason });
  }
  // Lock not available, deadlock, serialisation failure, statement timeout; concurrent role changes (XX000, 23505).
  if (/^55P03$|^40|^57014$|^XX000$|^23505$/.test(state)) {
    return new ConnectorFault("timeout", message, { retryable: true, reason });
  }
  if (/^42501$|^28|^0LP01$|^0P000$/.test(state)) {
    return new ConnectorFault("not_permitted", message, { retryable: false, reason });
  }
  return new ConnectorFault("refused", message, { retryable: /^5[38]/.test(state), reason });
}

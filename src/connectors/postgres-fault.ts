import { DatabaseError } from "pg";
import { ConnectorFault } from "../service/connector.ts";

/** How far an attempt came. */
export interface Attempt {
  readonly isTimeUp: boolean;
  readonly hasAnswered: boolean;
}

/** Which of our few kinds of fault an error of the driver is. Never repeats a statement: it may hold a verifier. */
export function postgresFault(
  name: string,
  error: unknown,
  { isTimeUp, hasAnswered }: Attempt,
): ConnectorFault {
  if (error instanceof ConnectorFault) return error;
  if (isTimeUp) {
    return new ConnectorFault("timeout", `${name} took too long.`, {
      retryable: true,
      isTargetDown: !hasAnswered,
    });
  }
  if (error instanceof DatabaseError) return answered(name, error);
  // Everything else comes from the way there: no such host, refused, reset, no answer in time.
  const code = error instanceof Error && "code" in error ? String(error.code) : "no answer";
  return new ConnectorFault("unreachable", `${name} cannot be reached (${code}).`, {
    retryable: true,
    isTargetDown: true,
  });
}

/** By SQLSTATE, see PostgreSQL's appendix A. */
function answered(name: string, error: DatabaseError): ConnectorFault {
  const state = error.code ?? "?????";
  const said = `${name}: PostgreSQL says ${state}: ${error.message.slice(0, 300)}`;
  // Shutting down, starting up, no connection left.
  if (/^57P0[1-5]$|^53300$|^08/.test(state)) {
    return new ConnectorFault("unreachable", said, { retryable: true, isTargetDown: true });
  }
  // Locked by somebody, deadlock, serialisation, cancelled by a limit; a role changed by two at once (XX000, 23505).
  if (/^55P03$|^40|^57014$|^XX000$|^23505$/.test(state)) {
    return new ConnectorFault("timeout", said, { retryable: true });
  }
  if (/^42501$|^28|^0LP01$|^0P000$/.test(state)) {
    return new ConnectorFault("not_permitted", said, { retryable: false });
  }
  return new ConnectorFault("refused", said, { retryable: /^5[38]/.test(state) });
}

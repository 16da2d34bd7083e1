import { Failure } from "../io/failure.ts";

/** The failure of one attempt of a call. */
export interface CallFailure {
  readonly failure: Failure;
  /** `sent`: the service may have done it, so only an idempotent call is retried. `notDone`: it certainly has not. */
  readonly retry: "never" | "sent" | "notDone";
  /** The pause that the service asked for. */
  readonly afterMs?: number;
}

export interface Tries {
  /** The number of attempts so far. */
  readonly attempt: number;
  /** The time since the first attempt began. */
  readonly elapsedMs: number;
  readonly isRepeatable: boolean;
}

const attemptsMax = 6;
const retryAfterMaxMs = 30_000;
const budgetMs = 60_000;
const firstPauseMs = 250;

/** The pause before the next attempt; undefined for none. `random`, 0 to 1, spreads the retries of many callers. */
export function pauseBeforeRetry(callFailure: CallFailure, tries: Tries, random: number): number | undefined {
  if (callFailure.retry === "never" || (callFailure.retry === "sent" && !tries.isRepeatable))
    return undefined;
  if (tries.attempt >= attemptsMax || tries.elapsedMs >= budgetMs) return undefined;
  const { afterMs } = callFailure;
  if (afterMs !== undefined) return afterMs <= retryAfterMaxMs ? afterMs : undefined;
  return firstPauseMs * 2 ** (tries.attempt - 1) * (0.75 + random / 2);
}

/** The milliseconds of a `Retry-After` header, which has seconds or a date. */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** Explains a failed connection. */
export function connectionFailure(error: unknown, url: string): CallFailure {
  const code = causeOf(error);
  if (code === "TimeoutError") {
    return {
      failure: unreachable(`${url} does not answer in time; try again, or check the service.`),
      retry: "sent",
    };
  }
  if (code === "ENOTFOUND") {
    return { failure: unreachable(`The host of ${url} does not exist; set JIT_URL.`), retry: "never" };
  }
  if (code === "" || code === "Error" || code === "TypeError") {
    return { failure: unreachable(`${url} cannot be called; set JIT_URL.`), retry: "never" };
  }
  if (code.startsWith("HPE_")) {
    return { failure: unreachable(`${url} does not speak HTTP; set JIT_URL.`), retry: "never" };
  }
  if (/^(EPROTO|ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG)$/.test(code)) {
    const detail = `${url} does not speak TLS; set JIT_URL to its http:// address, or to a port with TLS.`;
    return { failure: unreachable(detail), retry: "never" };
  }
  if (/CERT|SELF_SIGNED|ERR_TLS|ERR_SSL|ISSUER/.test(code)) {
    const detail = `The certificate of ${url} is not trusted; name its authority in NODE_EXTRA_CA_CERTS.`;
    return { failure: unreachable(detail), retry: "never" };
  }
  if (/^(ECONNREFUSED|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/.test(code)) {
    const detail = `${url} cannot be reached; start the service, or set JIT_URL to where it runs.`;
    return { failure: unreachable(detail), retry: "notDone" };
  }
  return {
    failure: unreachable(`The connection to ${url} broke; try again, or check the service.`),
    retry: "sent",
  };
}

function unreachable(detail: string): Failure {
  return new Failure("unreachable", "unreachable", detail);
}

/** The code of the innermost cause, or the name of the error. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const { cause } = error;
  if (cause instanceof AggregateError) return causeOf(cause.errors[0]) || causeOf(cause);
  if (cause instanceof Error) return causeOf(cause);
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

import { z } from "zod";
import { minuteMs, secondMs } from "../../../core/values/time.ts";
import { createRefreshedValue, type Fetched } from "./refreshed-value.ts";

/** Our own token for calls to the Bot Framework. */
export interface AccessTokens {
  /** @throws TokenFault */
  get(): Promise<string>;
  /** Discards a token that was refused, so that the next call fetches a new one. */
  drop(token: string): void;
}

export class TokenFault extends Error {
  override readonly name = "TokenFault";
  /** `login_refused`: id, password or tenant are wrong; `login_unreachable`: no answer. */
  readonly code: "login_refused" | "login_unreachable";
  constructor(code: TokenFault["code"]) {
    super(code);
    this.code = code;
  }
}

export interface LoginSettings {
  readonly appId: string;
  readonly appPassword: string;
  readonly tenantId: string;
  /** Without a trailing slash. */
  readonly loginUrl: string;
}

/** A new token is fetched this long before the old one expires, or after half of a shorter lifetime. */
const renewalMs = 5 * minuteMs;
/** A token is not used in its last seconds, because calls take time and clocks differ. */
const reserveMs = 30 * secondMs;
const timeoutMs = 10 * secondMs;

const answerSchema = z.object({ access_token: z.string().min(1), expires_in: z.coerce.number().positive() });

/**
 * Signs in by the client-credentials flow at our own tenant, which works in every cloud. A valid token is used while the
 * next one is fetched, so that a slow sign-in blocks nothing.
 */
export function createAccessTokens(
  { appId, appPassword, tenantId, loginUrl }: LoginSettings,
  scope: string,
  now: () => number,
  random?: () => number,
): AccessTokens {
  const fetchToken = async (): Promise<Fetched<string>> => {
    const { access_token: value, expires_in: seconds } = await ask(
      `${loginUrl}/${tenantId}/oauth2/v2.0/token`,
      { grant_type: "client_credentials", client_id: appId, client_secret: appPassword, scope },
    );
    const lifeMs = seconds * secondMs;
    return {
      value,
      freshUntil: now() + Math.max(lifeMs - renewalMs, lifeMs / 2),
      usableUntil: now() + Math.max(lifeMs - reserveMs, lifeMs * 0.9),
    };
  };
  const tokens = createRefreshedValue(fetchToken, now, random);

  return {
    async get() {
      const token = tokens.usable();
      if (token === undefined) return tokens.refresh();
      if (!tokens.isFresh()) tokens.refreshInBackground();
      return token;
    },
    drop(token) {
      if (tokens.usable() === token) tokens.discard(new TokenFault("login_refused"));
    },
  };
}

async function ask(
  url: string,
  form: Readonly<Record<string, string>>,
): Promise<z.infer<typeof answerSchema>> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(url, {
      method: "POST",
      body: new URLSearchParams(form),
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });
    body = await jsonOf(response);
  } catch {
    throw new TokenFault("login_unreachable");
  }
  const answer = answerSchema.safeParse(body);
  if (response.ok && answer.success) return answer.data;
  const isTemporary = response.status >= 500 || response.status === 429;
  throw new TokenFault(isTemporary ? "login_unreachable" : "login_refused");
}

/** Undefined: the body is not JSON. The time limit of the call includes reading the body. */
async function jsonOf(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    const body: unknown = JSON.parse(text);
    return body;
  } catch {
    return undefined;
  }
}

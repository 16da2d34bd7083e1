import { z } from "zod";
import { minuteMs, secondMs } from "../core/time.ts";

/** Our own token for calls to the Bot Framework. */
export interface AccessTokens {
  /** @throws TokenFault */
  get(): Promise<string>;
  /** The token was refused: the next one is fetched anew. */
  drop(token: string): void;
}

export class TokenFault extends Error {
  override readonly name = "TokenFault";
  /** `login_refused`: id, password or tenant are not right; `login_unreachable`: nobody answers. */
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
  /** Without a slash at its end. */
  readonly loginUrl: string;
}

/** A token is replaced this long before it ends. */
const marginMs = 5 * minuteMs;
const timeoutMs = 10 * secondMs;

const answerSchema = z.object({ access_token: z.string().min(1), expires_in: z.coerce.number().positive() });

/** The client-credentials flow at our own tenant, which works the same in every cloud. */
export function createAccessTokens(
  { appId, appPassword, tenantId, loginUrl }: LoginSettings,
  scope: string,
  now: () => number,
): AccessTokens {
  let held: { readonly token: string; readonly until: number } | undefined;
  let fetching: Promise<string> | undefined;

  const fetchToken = async (): Promise<string> => {
    const response = await ask(`${loginUrl}/${tenantId}/oauth2/v2.0/token`, {
      grant_type: "client_credentials",
      client_id: appId,
      client_secret: appPassword,
      scope,
    });
    const { access_token: token, expires_in: seconds } = response;
    held = { token, until: now() + Math.max(seconds * secondMs - marginMs, (seconds * secondMs) / 2) };
    return token;
  };

  return {
    async get() {
      if (held !== undefined && now() < held.until) return held.token;
      fetching ??= fetchToken().finally(() => {
        fetching = undefined;
      });
      return fetching;
    },
    drop(token) {
      if (held?.token === token) held = undefined;
    },
  };
}

async function ask(
  url: string,
  form: Readonly<Record<string, string>>,
): Promise<z.infer<typeof answerSchema>> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      body: new URLSearchParams(form),
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch {
    throw new TokenFault("login_unreachable");
  }
  const answer = answerSchema.safeParse(await response.json().catch(() => undefined));
  if (response.ok && answer.success) return answer.data;
  throw new TokenFault(
    response.status >= 500 || response.status === 429 ? "login_unreachable" : "login_refused",
  );
}

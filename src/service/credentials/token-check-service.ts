import type { Actor } from "../../core/access/access-request.ts";
import type { AccessCase } from "../../core/access/access-case.ts";
import { parseToken } from "../../core/values/token-format.ts";
import { decideRevoke } from "../../core/decisions/decide-end.ts";
import { hasStarted, isLive } from "../../core/access/grant.ts";
import { maskTokens } from "../../core/values/mask-tokens.ts";
import { isActive } from "../../core/values/identity.ts";
import { isRefusal } from "../../core/values/refusals.ts";
import { decideCase } from "../decisions/decide-case.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import { StoreUnavailable, type PresentedCredential } from "../ports/store.ts";
import type { CredentialUseLog } from "./credential-use-log.ts";

/** RFC 7662: all fields when the token is valid now, else only `active: false`. */
export type Introspection =
  | {
      readonly active: true;
      readonly scope: string;
      readonly sub: string;
      /** Absent in JSON for an identity without an address. */
      readonly username: string | undefined;
      readonly exp: number;
      readonly iat: number;
      readonly jti: string;
      readonly break_glass: boolean;
    }
  | { readonly active: false };

/** The answer of a forward-auth check. */
export type Check =
  | { readonly allowed: true; readonly identity: string; readonly scopes: string; readonly request: string }
  | { readonly allowed: false; readonly known: boolean };

/** Answers resources and proxies about a token, by the state and the clock at this moment. Answers are never cached. */
export interface TokenCheckService {
  introspect(token: string): Promise<Introspection>;
  /** Whether the token has all the wanted scopes. Without wanted scopes it is never allowed. */
  check(token: string, wanted: readonly string[]): Promise<Check>;
  /**
   * A leak report: ends the access of every token in this text, for example a file or log. Returns nothing, so that it
   * reveals nothing about the tokens.
   */
  readonly report: (text: string) => Promise<void>;
}

/** Ends a leaked API key. */
export type EndKey = (hash: string, by: Actor) => Promise<void>;

const leakReporter: Actor = { type: "system", id: "leak-report", name: "leak report", via: "api" };

export function createTokenCheckService(
  context: ServiceContext,
  uses: CredentialUseLog,
  endKey: EndKey,
  onFault: (fault: unknown) => void,
): TokenCheckService {
  /** Records the use. A valid credential stays valid when the store cannot write. */
  const recordUse = async (presented: PresentedCredential): Promise<void> => {
    try {
      await uses.record(presented, actorForHolder(presented), context.runtime.now());
    } catch (fault) {
      onFault(fault);
    }
  };
  return {
    async introspect(token) {
      const presented = await findLiveCredential(context, token);
      if (presented === undefined) return { active: false };
      if (uses.mustRecord(presented)) await recordUse(presented);
      return introspectionOf(presented);
    },
    async check(token, wanted) {
      const presented = await findLiveCredential(context, token);
      if (presented === undefined) return { allowed: false, known: false };
      const { scope, subjectId, requestId } = presented.grant;
      const held = new Set(scope.split(" "));
      if (wanted.length === 0 || !wanted.every((one) => held.has(one)))
        return { allowed: false, known: true };
      if (uses.mustRecord(presented)) await recordUse(presented);
      return { allowed: true, identity: subjectId, scopes: scope, request: requestId };
    },
    async report(text) {
      for (const token of maskTokens(text).leaked) {
        const hash = context.runtime.sha256(token);
        if (parseToken(token)?.kind === "live") await endKey(hash, leakReporter);
        else await endLeaked(context, hash);
      }
    },
  };
}

/** The access that a token is valid for now, by state and clock; undefined when there is none. */
export async function findLiveCredential(
  { store, runtime }: ServiceContext,
  token: string,
): Promise<PresentedCredential | undefined> {
  if (parseToken(token)?.kind !== "jit") return undefined;
  const presented = await store.credential(runtime.sha256(token));
  if (presented === undefined || !presented.current || !isActive(presented.identity)) return undefined;
  return isLive(presented.grant, runtime.now()) ? presented : undefined;
}

/** Whether this is still the grant's credential; a rotation may have replaced it. */
export function isCurrentCredentialOf(
  { credentialId }: PresentedCredential,
  { grant }: Pick<AccessCase, "grant">,
): boolean {
  return hasStarted(grant) && grant.credential.id === credentialId;
}

/** Anyone who presents a credential acts as its holder. */
export function actorForHolder({ identity }: PresentedCredential): Actor {
  const type = identity.kind === "HUMAN" ? "human" : "service";
  return { type, id: identity.id, name: identity.name, via: "api" };
}

async function endLeaked(context: ServiceContext, hash: string): Promise<void> {
  const presented = await context.store.credential(hash);
  if (presented === undefined || !presented.current) return;
  const reason = "its token was reported as leaked";
  const outcome = await decideCase(context, presented.grant.requestId, async ({ accessCase }) => ({
    decision: isCurrentCredentialOf(presented, accessCase)
      ? decideRevoke(accessCase, reason, leakReporter, context.runtime.now())
      : [],
    expects: [],
  }));
  // Access that was over already is fine; a failure to end it is not.
  if (isRefusal(outcome) && outcome.refused === "store_unavailable")
    throw new StoreUnavailable(outcome.detail);
}

function introspectionOf({ grant, identity }: PresentedCredential): Introspection {
  const { scope, expiresAt, startedAt, requestId, breakGlass } = grant;
  return {
    active: true,
    scope,
    sub: identity.id,
    username: identity.email,
    exp: Math.floor(expiresAt / 1000),
    iat: Math.floor(startedAt / 1000),
    jti: requestId,
    break_glass: breakGlass,
  };
}

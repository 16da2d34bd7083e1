import type { FastifyRequest } from "fastify";
import { parseToken } from "../../core/values/token-format.ts";
import { tokensIn, withoutTokens, type TokenFound } from "../../core/values/mask-tokens.ts";
import { refuse } from "../../core/values/refusals.ts";
import type { Services } from "../../service/services.ts";
import { tokenNotAllowed } from "../../service/guards/token-guard.ts";
import { bearerOf, type App } from "./route-access.ts";
import { malformed, RefusalError } from "../formats/problems.ts";

/** Headers that may hold a token: those that authenticate the caller, and cookies of other programs on the same host. */
const tokenHeaders: ReadonlySet<string> = new Set(["authorization", "proxy-authorization", "cookie"]);

/**
 * Accepts a token of ours only as the bearer. In a route's free-text fields a token is masked. In a header, the query or
 * any other field, the call is refused before anything of it is stored. Every token found is revoked, because it has been
 * in a place that others read.
 */
export function refuseTokens(app: App, { tokenChecks }: Pick<Services, "tokenChecks">): void {
  app.addHook("preValidation", async (request) => {
    const { params, query } = request;
    const headers = Object.entries(request.headers).filter(([name]) => !tokenHeaders.has(name));
    const inHeaders = tokensIn(Object.fromEntries(headers));
    const { inFreeText, others } = bodyTokens(request);
    const inQuery = tokensIn(query);
    for (const { text } of [...inHeaders, ...inQuery, ...tokensIn(params), ...inFreeText, ...others]) {
      await tokenChecks.report(withoutBearer(request, text));
    }
    if (inHeaders.length > 0) throw new RefusalError(malformed("A header holds a token; it was revoked."));
    const found = [...inQuery, ...others];
    if (found.length > 0) throw new RefusalError(refusalFor(found));
    if (inFreeText.length > 0) request.body = withoutTokens(request.body);
  });
}

interface BodyTokens {
  readonly inFreeText: readonly TokenFound[];
  readonly others: readonly TokenFound[];
}

function bodyTokens({ body, routeOptions }: FastifyRequest): BodyTokens {
  const { freeText = [] } = routeOptions.config;
  const isInFreeText = ({ path }: TokenFound): boolean =>
    freeText.some((field) => field.split(".").every((name, index) => path[index] === name));
  const found = tokensIn(body);
  return { inFreeText: found.filter(isInFreeText), others: found.filter((token) => !isInFreeText(token)) };
}

/** A credential that completes its own request ends by that, so it need not be reported as well. */
function withoutBearer(request: FastifyRequest, text: string): string {
  const bearer = bearerOf(request);
  const isOwn = request.caller === null && bearer !== undefined && parseToken(bearer)?.kind === "jit";
  return isOwn ? text.replaceAll(bearer, "") : text;
}

function refusalFor(found: readonly TokenFound[]) {
  const errors = found.map(({ path }) => ({ path: path.join("."), message: tokenNotAllowed }));
  return refuse("invalid_body", "A token is in a field where it does not belong; it was revoked.", {
    errors,
  });
}

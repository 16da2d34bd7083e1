import type { FastifyRequest } from "fastify";
import { parseToken } from "../../core/values/token-format.ts";
import { tokensIn, withoutTokens, type TokenFound } from "../../core/values/mask-tokens.ts";
import { refuse } from "../../core/values/refusals.ts";
import type { Services } from "../../service/services.ts";
import { tokenNotAllowed } from "../../service/guards/token-guard.ts";
import { bearerOf, type App } from "./route-access.ts";
import { malformed, RefusalError } from "../formats/problems.ts";

/** Where a token belongs: who calls, and what other programs on the same host use. */
const tokenHeaders: ReadonlySet<string> = new Set(["authorization", "proxy-authorization", "cookie"]);

/**
 * No token of ours gets past here but as the bearer. In a route's `words` it is masked; in a header, the query or any
 * other field, known or not, the call is refused before anything of it is kept. Whatever was found is ended: it has been
 * where others read.
 */
export function refuseTokens(app: App, { tokenChecks }: Pick<Services, "tokenChecks">): void {
  app.addHook("preValidation", async (request) => {
    const { params, query } = request;
    const headers = Object.entries(request.headers).filter(([name]) => !tokenHeaders.has(name));
    const inHeaders = tokensIn(Object.fromEntries(headers));
    const { words, others } = sorted(request);
    const inQuery = tokensIn(query);
    for (const { text } of [...inHeaders, ...inQuery, ...tokensIn(params), ...words, ...others]) {
      await tokenChecks.report(withoutBearer(request, text));
    }
    if (inHeaders.length > 0) throw new RefusalError(malformed("A header holds a token, which was ended."));
    const found = [...inQuery, ...others];
    if (found.length > 0) throw new RefusalError(refusalFor(found));
    if (words.length > 0) request.body = withoutTokens(request.body);
  });
}

interface Sorted {
  /** In people's own words. */
  readonly words: readonly TokenFound[];
  readonly others: readonly TokenFound[];
}

function sorted({ body, routeOptions }: FastifyRequest): Sorted {
  const { words = [] } = routeOptions.config;
  const isOfWords = ({ path }: TokenFound): boolean =>
    words.some((field) => field.split(".").every((name, index) => path[index] === name));
  const found = tokensIn(body);
  return { words: found.filter(isOfWords), others: found.filter((one) => !isOfWords(one)) };
}

/** A credential that completes itself is ended by that, and need not be reported as well. */
function withoutBearer(request: FastifyRequest, text: string): string {
  const bearer = bearerOf(request);
  const isOwn = request.caller === null && bearer !== undefined && parseToken(bearer)?.kind === "jit";
  return isOwn ? text.replaceAll(bearer, "") : text;
}

function refusalFor(found: readonly TokenFound[]) {
  const errors = found.map(({ path }) => ({ path: path.join("."), message: tokenNotAllowed }));
  return refuse("invalid_body", "A token stands where it does not belong, and was ended.", { errors });
}

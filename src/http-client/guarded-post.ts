import { lookup as systemLookup } from "node:dns";
import { request as httpRequest, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { secondMs } from "../core/values/time.ts";
import { isBlockedAddress } from "./blocked-ranges.ts";
import { OutgoingFault } from "./outgoing-fault.ts";
import { isPublicAddress } from "./public-address.ts";

/** What is to be posted, and how far it may go. */
export interface GuardedRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /**
   * Whether the receiver may have an address that is not of the open internet, and be spoken to without TLS. Link-local
   * addresses are not called even then.
   */
  readonly allowPrivate: boolean;
  readonly signal: AbortSignal;
  /** Characters of the answer that are read at most; more is a fault. */
  readonly responseLengthMax?: number;
  /** Status and headers are all that is wanted: the answer itself is not read, however long it is or takes. */
  readonly discardBody?: boolean;
  /** Bytes that are sent at most; more is a fault. */
  readonly bodyLengthMax?: number;
}

/** Of any status; a redirect is one too. */
export interface GuardedResponse {
  readonly status: number;
  readonly body: string;
  /** The header of that name, when the receiver says when to come back. */
  readonly retryAfter: string | undefined;
}

/** Sends, as {@link guardedPost} does. */
export type GuardedPost = (asked: GuardedRequest) => Promise<GuardedResponse>;

/** From the first look-up to the last byte. */
export const outgoingTimeoutMs = 15 * secondMs;
const bodyLengthDefault = 256 * 1_024;
const responseLengthDefault = 64 * 1_024;

/**
 * One POST to an address an operator has written down: at most 15 s, no redirects, nothing of ours but `headers` and
 * `body`. The address is judged when the connection is made, on what the name means at that moment, so that a name
 * cannot mean one thing when it is checked and another when it is used. @throws OutgoingFault; any status is an answer.
 */
export async function guardedPost(
  asked: GuardedRequest,
  lookup: LookupFunction = systemLookup,
): Promise<GuardedResponse> {
  const url = checkedUrl(asked);
  if (Buffer.byteLength(asked.body) > (asked.bodyLengthMax ?? bodyLengthDefault))
    throw new OutgoingFault("too_large", "The request is too large.");
  const timeout = AbortSignal.timeout(outgoingTimeoutMs);
  const signal = AbortSignal.any([asked.signal, timeout]);
  try {
    return await send(url, asked, signal, guarded(lookup, asked.allowPrivate));
  } catch (error) {
    if (error instanceof OutgoingFault) throw error;
    if (signal.aborted) throw new OutgoingFault("timeout", "There was no answer in time.");
    throw new OutgoingFault("unreachable", `There was no answer (${codeOf(error)}).`, codeOf(error));
  }
}

function checkedUrl({ url: text, allowPrivate }: GuardedRequest): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isWeb = url?.protocol === "https:" || (allowPrivate && url?.protocol === "http:");
  if (url === undefined || !isWeb || url.username !== "" || url.password !== "") {
    throw new OutgoingFault("refused_url", "The address must begin with https:// and hold no password.");
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  // An address needs no look-up, so it is judged here.
  if (isIP(host) !== 0 && !mayCall(host, allowPrivate)) throw privateAddress(allowPrivate);
  return url;
}

function mayCall(address: string, allowPrivate: boolean): boolean {
  return allowPrivate ? !isBlockedAddress(address) : isPublicAddress(address);
}

/** Refuses a name as soon as one of its addresses may not be called: which one would be used is nobody's promise. */
function guarded(lookup: LookupFunction, allowPrivate: boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found, family) => {
      if (error !== null) return callback(error, []);
      const addresses = Array.isArray(found) ? found : [{ address: found, family: family ?? 4 }];
      if (addresses.length === 0 || !addresses.every(({ address }) => mayCall(address, allowPrivate))) {
        return callback(privateAddress(allowPrivate), []);
      }
      const [first] = addresses;
      return options.all === true || first === undefined
        ? callback(null, addresses)
        : callback(null, first.address, first.family);
    });
  };
}

function privateAddress(allowPrivate: boolean): OutgoingFault {
  return new OutgoingFault(
    "private_address",
    allowPrivate
      ? "The address is link-local or nobody's, which is never called."
      : "The address is not of the open internet; allowPrivate lets it be used.",
  );
}

function send(
  url: URL,
  { headers, body, responseLengthMax = responseLengthDefault, discardBody = false }: GuardedRequest,
  signal: AbortSignal,
  lookup: LookupFunction,
): Promise<GuardedResponse> {
  const options: RequestOptions = {
    method: "POST",
    headers: { ...headers, "content-length": Buffer.byteLength(body), "user-agent": "jit-access" },
    // A connection of its own for every request: one that is kept would outlive the check of its address.
    agent: false,
    lookup,
    signal,
  };
  return new Promise((resolve, reject) => {
    const request = (url.protocol === "https:" ? httpsRequest : httpRequest)(url, options, (response) => {
      const answer = (text: string): GuardedResponse => ({
        status: response.statusCode ?? 0,
        body: text,
        retryAfter: response.headers["retry-after"],
      });
      if (discardBody) {
        resolve(answer(""));
        request.destroy();
        return;
      }
      const parts: Buffer[] = [];
      let length = 0;
      response.on("data", (part: Buffer) => {
        length += part.length;
        if (length > responseLengthMax) {
          reject(new OutgoingFault("too_large", "The answer is too large."));
          request.destroy();
        } else {
          parts.push(part);
        }
      });
      response.on("error", reject);
      response.on("end", () => resolve(answer(Buffer.concat(parts).toString())));
    });
    request.on("error", reject);
    request.end(body);
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "no code";
}

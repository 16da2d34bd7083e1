import { lookup as systemLookup } from "node:dns";
import { request as httpRequest, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { secondMs } from "../core/values/time.ts";
import { isBlockedAddress } from "./blocked-ranges.ts";
import { OutgoingFault } from "./outgoing-fault.ts";
import { isPublicAddress } from "./public-address.ts";

/** A POST and its limits. */
export interface GuardedRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /**
   * Whether the receiver may have a private address, and may be called without TLS. Link-local addresses are never
   * called.
   */
  readonly allowPrivate: boolean;
  readonly signal: AbortSignal;
  /** The maximum size of the response in bytes; a larger one is a fault. */
  readonly responseLengthMax?: number;
  /** Only status and headers are needed: the body is not read, however long it is or takes. */
  readonly discardBody?: boolean;
  /** The maximum size of the request body in bytes; a larger one is a fault. */
  readonly bodyLengthMax?: number;
}

/** A response of any status, including redirects. */
export interface GuardedResponse {
  readonly status: number;
  readonly body: string;
  /** The `Retry-After` header. */
  readonly retryAfter: string | undefined;
}

/** As {@link guardedPost}. */
export type GuardedPost = (request: GuardedRequest) => Promise<GuardedResponse>;

/** From the DNS lookup to the last byte. */
export const outgoingTimeoutMs = 15 * secondMs;
const bodyLengthDefault = 256 * 1_024;
const responseLengthDefault = 64 * 1_024;

/**
 * Sends one POST to a configured address: at most 15 s, no redirects, and nothing but `headers` and `body`. The address
 * is checked when the connection is made, on the lookup that the connection uses, so that a name cannot resolve to one
 * address for the check and to another for the call (DNS rebinding). Any status is a response. @throws OutgoingFault
 */
export async function guardedPost(
  request: GuardedRequest,
  lookup: LookupFunction = systemLookup,
): Promise<GuardedResponse> {
  const url = checkedUrl(request);
  if (Buffer.byteLength(request.body) > (request.bodyLengthMax ?? bodyLengthDefault))
    throw new OutgoingFault("too_large", "The request is too large.");
  const timeout = AbortSignal.timeout(outgoingTimeoutMs);
  const signal = AbortSignal.any([request.signal, timeout]);
  try {
    return await send(url, request, signal, guarded(lookup, request.allowPrivate));
  } catch (error) {
    if (error instanceof OutgoingFault) throw error;
    if (signal.aborted) throw new OutgoingFault("timeout", "There was no response in time.");
    throw new OutgoingFault("unreachable", `There was no response (${codeOf(error)}).`, codeOf(error));
  }
}

function checkedUrl({ url: text, allowPrivate }: GuardedRequest): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isAllowed = url?.protocol === "https:" || (allowPrivate && url?.protocol === "http:");
  if (url === undefined || !isAllowed || url.username !== "" || url.password !== "") {
    throw new OutgoingFault("refused_url", "The URL must begin with https:// and contain no password.");
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  // An IP address needs no lookup, so it is checked here.
  if (isIP(host) !== 0 && !mayCall(host, allowPrivate)) throw privateAddress(allowPrivate);
  return url;
}

function mayCall(address: string, allowPrivate: boolean): boolean {
  return allowPrivate ? !isBlockedAddress(address) : isPublicAddress(address);
}

/** Rejects a name if any of its addresses may not be called, because the connection may use any of them. */
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
      ? "The address is link-local or reserved and is never called."
      : "The address is private; set allowPrivate to use it.",
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
    // No connection pool: a pooled connection would outlive the check of its address.
    agent: false,
    lookup,
    signal,
  };
  return new Promise((resolve, reject) => {
    const outgoing = (url.protocol === "https:" ? httpsRequest : httpRequest)(url, options, (response) => {
      const responseWith = (text: string): GuardedResponse => ({
        status: response.statusCode ?? 0,
        body: text,
        retryAfter: response.headers["retry-after"],
      });
      if (discardBody) {
        resolve(responseWith(""));
        outgoing.destroy();
        return;
      }
      const parts: Buffer[] = [];
      let length = 0;
      response.on("data", (part: Buffer) => {
        length += part.length;
        if (length > responseLengthMax) {
          reject(new OutgoingFault("too_large", "The response is too large."));
          outgoing.destroy();
        } else {
          parts.push(part);
        }
      });
      response.on("error", reject);
      response.on("end", () => resolve(responseWith(Buffer.concat(parts).toString())));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "no code";
}

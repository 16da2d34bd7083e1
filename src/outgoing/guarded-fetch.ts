import { lookup, type LookupAddress } from "node:dns";
import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { mayConnect, type Reach } from "./addresses.ts";

/** What of an answer is read; the rest is not waited for. */
export const answerBytesMax = 64 * 1024;

/** A call did not come to an answer. */
export class OutgoingFault extends Error {
  override readonly name = "OutgoingFault";
  /** Stable: `address_refused`, `timeout`, or the system's own such as `ECONNREFUSED`, `CERT_HAS_EXPIRED`. */
  readonly code: string;

  constructor(code: string, cause?: unknown) {
    super(code, { cause });
    this.code = code;
  }
}

export interface GuardedCall {
  readonly url: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly reach: Reach;
  /** For the whole call, from the name's resolution to the end of the answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface GuardedAnswer {
  readonly status: number;
  /** A header of the answer, by its name in lower case. */
  readonly header: (name: string) => string | undefined;
  /** At most {@link answerBytesMax} of it. */
  readonly body: string;
  /** There was more. */
  readonly isCut: boolean;
}

export type GuardedFetch = (call: GuardedCall) => Promise<GuardedAnswer>;

/** How a name is resolved: all of its addresses, or why not. */
export type Resolve = (
  host: string,
  done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

/**
 * Calls addresses that an operator has written down and a stranger's name server may answer for. What is checked is the
 * address that is connected to, at the moment of connecting, so that a name cannot mean one thing when it is checked and
 * another when it is called. Redirects are answers like any other, never followed. Each call has a connection of its own.
 *
 * @throws OutgoingFault
 */
export function createGuardedFetch(resolve: Resolve = resolveAll): GuardedFetch {
  return async (call) => {
    const url = new URL(call.url);
    const literal = url.hostname.replace(/^\[(.*)\]$/, "$1");
    // A literal address is connected to without being looked up.
    if (isIP(literal) !== 0 && !mayConnect(literal, call.reach)) throw new OutgoingFault("address_refused");
    const timeout = AbortSignal.timeout(call.timeoutMs);
    const signal = AbortSignal.any([call.signal, timeout]);
    try {
      return await answerOf(send(url, call, guardedLookup(resolve, call.reach), signal), call.body, signal);
    } catch (error) {
      if (error instanceof OutgoingFault) throw error;
      if (signal.aborted) throw new OutgoingFault(timeout.aborted ? "timeout" : "stopped", error);
      throw new OutgoingFault(codeOf(error), error);
    }
  };
}

function send(url: URL, call: GuardedCall, checked: LookupFunction, signal: AbortSignal): ClientRequest {
  const { method, headers, body } = call;
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  return (url.protocol === "https:" ? httpsRequest : httpRequest)(url, {
    method,
    headers: { ...headers, ...length },
    agent: false,
    lookup: checked,
    signal,
  });
}

/** Gives only addresses that may be called; without any, the connection is refused before it begins. */
function guardedLookup(resolve: Resolve, reach: Reach): LookupFunction {
  return (host, options, callback) => {
    resolve(host, (error, found) => {
      const allowed = error === null ? found.filter((one) => mayConnect(one.address, reach)) : [];
      const [first] = allowed;
      if (error !== null) callback(new OutgoingFault(codeOf(error), error), "", 0);
      else if (first === undefined) callback(new OutgoingFault("address_refused"), "", 0);
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

async function answerOf(
  sent: ClientRequest,
  body: string | undefined,
  signal: AbortSignal,
): Promise<GuardedAnswer> {
  try {
    const answer = await new Promise<IncomingMessage>((answered, failed) => {
      sent.once("response", answered);
      sent.on("error", failed);
      sent.end(body);
    });
    const read = await readSome(answer);
    signal.throwIfAborted();
    return {
      status: answer.statusCode ?? 0,
      header: (name) => {
        const value = answer.headers[name];
        return Array.isArray(value) ? value[0] : value;
      },
      ...read,
    };
  } finally {
    sent.destroy();
  }
}

async function readSome(answer: IncomingMessage): Promise<Pick<GuardedAnswer, "body" | "isCut">> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    if (!Buffer.isBuffer(chunk)) continue;
    chunks.push(chunk);
    size += chunk.length;
    if (size > answerBytesMax) break;
  }
  const body = Buffer.concat(chunks).subarray(0, answerBytesMax).toString("utf8");
  return { body, isCut: size > answerBytesMax };
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "failed";
}

function resolveAll(...[host, done]: Parameters<Resolve>): void {
  lookup(host, { all: true }, done);
}

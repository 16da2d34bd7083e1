import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { Webhook as Verifier } from "standardwebhooks";
import { onTestFinished } from "vitest";

export interface Received {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly message: {
    readonly type: string;
    readonly timestamp: string;
    readonly data: Readonly<Record<string, unknown>>;
  };
}

export interface Receiver {
  readonly url: string;
  readonly secret: string;
  readonly received: readonly Received[];
  /** The sequence numbers of the audit events received. */
  readonly seqs: () => readonly unknown[];
  /** Sets how it responds from now on; the default is 204. */
  answers(respond: (response: ServerResponse, count: number) => void): void;
}

let count = 0;

/** A webhook receiver on 127.0.0.1. It answers 401 to a call that the reference library cannot verify. */
export async function openReceiver({ verifies = true } = {}): Promise<Receiver> {
  const secret = `whsec_${Buffer.alloc(32, ++count).toString("base64")}`;
  const received: Received[] = [];
  let respond = (response: ServerResponse, _count: number): void => void response.writeHead(204).end();
  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request);
    const { headers } = request;
    try {
      if (verifies) new Verifier(secret).verify(body, headers as Record<string, string>);
    } catch {
      response.writeHead(401).end();
      return;
    }
    received.push({ id: String(headers["webhook-id"]), headers, body, message: JSON.parse(body) });
    respond(response, received.length);
  };
  const server = createServer((request, response) => void receive(request, response));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    secret,
    received,
    seqs: () => received.map(({ message }) => message.data["seq"]),
    answers: (next) => {
      respond = next;
    },
  };
}

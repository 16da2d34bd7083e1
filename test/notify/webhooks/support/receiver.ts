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
  /** The events that have arrived, by their place in the audit log. */
  readonly seqs: () => readonly unknown[];
  /** What it answers from now on; absent: 204. */
  answers(how: (answer: ServerResponse, count: number) => void): void;
}

let count = 0;

/** A webhook's receiver on 127.0.0.1. What it cannot verify with the reference library it answers 401. */
export async function openReceiver({ verifies = true } = {}): Promise<Receiver> {
  const secret = `whsec_${Buffer.alloc(32, ++count).toString("base64")}`;
  const received: Received[] = [];
  let respond = (answer: ServerResponse, _count: number): void => void answer.writeHead(204).end();
  const take = async (request: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const body = await text(request);
    const { headers } = request;
    try {
      if (verifies) new Verifier(secret).verify(body, headers as Record<string, string>);
    } catch {
      answer.writeHead(401).end();
      return;
    }
    received.push({ id: String(headers["webhook-id"]), headers, body, message: JSON.parse(body) });
    respond(answer, received.length);
  };
  const server = createServer((request, answer) => void take(request, answer));
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
    seqs: () => received.map((one) => one.message.data["seq"]),
    answers: (how) => {
      respond = how;
    },
  };
}

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { afterEach } from "vitest";

/** One call to the fake. */
export interface ReceivedCall {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** The response to one call. `cut` breaks the connection, after the bytes of `head` if given. */
export type Reply =
  | {
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: unknown;
      readonly afterMs?: number;
    }
  | { readonly cut: true; readonly head?: string };

export interface FakeService {
  readonly url: string;
  readonly received: readonly ReceivedCall[];
}

const open: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()));
});

/** A service on 127.0.0.1 that responds from a list and repeats the last entry. It is closed after the test. */
export async function fakeService(
  ...replies: readonly (Reply | ((call: ReceivedCall) => Reply))[]
): Promise<FakeService> {
  const received: ReceivedCall[] = [];
  const sockets = new Set<Socket>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = "";
    for await (const piece of request) body += String(piece);
    const call = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body };
    received.push(call);
    const chosen = replies[Math.min(received.length, replies.length) - 1] ?? {};
    send(typeof chosen === "function" ? chosen(call) : chosen, response);
  };
  const server = createServer((request, response) => void answer(request, response));
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  open.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((closed) => server.close(closed));
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, received };
}

function send(reply: Reply, response: ServerResponse): void {
  if ("cut" in reply) {
    if (reply.head === undefined) return void response.socket?.destroy();
    response.writeHead(200, { "content-type": "application/json", "content-length": "10000" });
    return void response.write(reply.head, () => response.socket?.destroy());
  }
  const { status = 200, headers = {}, body = {}, afterMs = 0 } = reply;
  const isText = typeof body === "string";
  const type = isText ? "text/html" : status >= 400 ? "application/problem+json" : "application/json";
  setTimeout(() => {
    response.writeHead(status, { "content-type": type, ...headers });
    response.end(isText ? body : JSON.stringify(body));
  }, afterMs);
}

/** A problem document. */
export function refusal(
  status: number,
  code: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
) {
  return { status, headers, body: { type: "about:blank", title: code, status, code, detail } };
}

/** A request as the service returns it. */
export function shown(more: Readonly<Record<string, unknown>> = {}) {
  return {
    id: "jit_one",
    status: "PENDING",
    identityId: "id_dev",
    requestedBy: "id_dev",
    requestedAt: "2026-01-15T10:00:00.000Z",
    expiresAt: null,
    reason: "an incident",
    scopes: ["read:prod:orders-db"],
    duration: "1h",
    grantedDuration: null,
    ticket: null,
    metadata: {},
    notifyChannels: [],
    notifications: [],
    breakGlass: false,
    extends: null,
    approvalDeadline: "2026-01-16T10:00:00.000Z",
    claimDeadline: null,
    decidedAt: null,
    startedAt: null,
    endedAt: null,
    endReason: null,
    policies: [{ id: "pol_one", name: "production", version: 3, scopes: ["read:prod:orders-db"] }],
    risk: { score: 40, factors: [{ name: "production", points: 40 }] },
    approvals: [{ stage: 1, required: 1, given: 0 }],
    approvers: [{ identityId: "id_ann", name: "Ann", email: null, stage: 1, status: "PENDING" }],
    revision: "abc",
    grant: null,
    review: null,
    ...more,
  };
}

export const me = { id: "id_dev", kind: "HUMAN", name: "Dev", email: null, groups: [], active: true };

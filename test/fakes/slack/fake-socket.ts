import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";

type Json = { readonly [name: string]: unknown };

export interface FakeSocket {
  readonly url: string;
  /** Sends an envelope as Slack does. @returns the payload of the acknowledgement */
  send(type: string, payload: Json): Promise<Json>;
  /** Asks the client to reconnect, as Slack does every few hours. */
  refresh(): void;
  /** Breaks every connection. */
  drop(): void;
  close(): Promise<void>;
}

/** Starts a fake of Slack's socket mode. It says hello, sends envelopes, and expects their acknowledgements. */
export async function startFakeSocket(): Promise<FakeSocket> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  let connected = Promise.withResolvers<WebSocket>();
  const waiting = new Map<string, (payload: Json) => void>();
  server.on("connection", (socket) => {
    socket.send(JSON.stringify({ type: "hello", num_connections: 1, connection_info: { app_id: "A1" } }));
    socket.on("message", (data: Buffer) => {
      const { envelope_id: id, payload = {} } = JSON.parse(data.toString("utf8")) as {
        readonly envelope_id: string;
        readonly payload?: Json;
      };
      waiting.get(id)?.(payload);
    });
    connected.resolve(socket);
    socket.once("close", () => {
      connected = Promise.withResolvers();
    });
  });
  let count = 0;
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async send(type, payload) {
      const socket = await connected.promise;
      const id = `envelope-${++count}`;
      const { promise, resolve } = Promise.withResolvers<Json>();
      waiting.set(id, resolve);
      socket.send(JSON.stringify({ envelope_id: id, type, payload, accepts_response_payload: true }));
      return promise;
    },
    refresh() {
      for (const client of server.clients) {
        client.send(JSON.stringify({ type: "disconnect", reason: "refresh_requested" }));
      }
    },
    drop() {
      for (const client of server.clients) client.terminate();
    },
    async close() {
      for (const client of server.clients) client.terminate();
      server.close();
    },
  };
}

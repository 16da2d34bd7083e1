import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import { listeningPort } from "./ports.ts";

/** One received call with its unchanged header lines. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** The application behind a proxy. It returns 200 and stores the calls it received. */
export interface Upstream {
  readonly port: number;
  readonly seen: Seen[];
  close(): Promise<void>;
}

const websocketGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export async function startUpstream(): Promise<Upstream> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const body = Buffer.concat(parts).toString();
      seen.push({
        method: request.method ?? "",
        url: request.url ?? "",
        headers: pairs(request.rawHeaders),
        body,
      });
      response.writeHead(200, { "x-upstream": "reached" }).end(`upstream got ${body.length}`);
    });
  });
  // Switches protocols and echoes everything, which looks like a websocket to a proxy.
  server.on("upgrade", (request, socket) => {
    seen.push({ method: "UPGRADE", url: request.url ?? "", headers: pairs(request.rawHeaders), body: "" });
    const key = request.headers["sec-websocket-key"] ?? "";
    const accept = createHash("sha1")
      .update(key + websocketGuid)
      .digest("base64");
    const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
    socket.write([...lines, `Sec-WebSocket-Accept: ${accept}`, "", ""].join("\r\n"));
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  return { port: await listeningPort(server), seen, close: () => closed(server) };
}

/** A service that gives every check the same response, or without a status never responds. */
export async function startOtherCheck(status: number | undefined): Promise<Pick<Upstream, "port" | "close">> {
  const server = createServer((_, response) => {
    if (status !== undefined) response.writeHead(status, { location: "/elsewhere" }).end();
  });
  return { port: await listeningPort(server), close: () => closed(server) };
}

function pairs(raw: readonly string[]): readonly (readonly [string, string])[] {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ""] as const] : []));
}

async function closed(server: Server): Promise<void> {
  const done = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await done;
}

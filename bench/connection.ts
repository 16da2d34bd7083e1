import { connect, type Socket } from "node:net";

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A kept-alive connection with one call at a time: a client so small that the server is what is measured. */
export interface Connection {
  call(request: string): Promise<Answer>;
  readonly close: () => void;
}

export async function openConnection(port: number): Promise<Connection> {
  const socket = await connected(port);
  let received = "";
  let waiting: PromiseWithResolvers<Answer> | undefined;
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    received += chunk;
    const answer = wholeAnswer(received);
    if (answer === undefined) return;
    received = "";
    const answered = waiting;
    waiting = undefined;
    answered?.resolve(answer);
  });
  socket.on("close", () => waiting?.reject(closed()));
  return {
    call: async (request) => {
      if (socket.destroyed) throw closed();
      waiting = Promise.withResolvers();
      socket.write(request);
      return waiting.promise;
    },
    close: () => void socket.destroy(),
  };
}

export async function openConnections(port: number, count: number): Promise<readonly Connection[]> {
  return Promise.all(Array.from({ length: count }, () => openConnection(port)));
}

/** The text of a POST, as sent. */
export function post(path: string, key: string, contentType: string, body: string): string {
  return [
    `POST ${path} HTTP/1.1`,
    "Host: localhost",
    `Authorization: Bearer ${key}`,
    `Content-Type: ${contentType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    "",
    body,
  ].join("\r\n");
}

function closed(): Error {
  return new Error("the server closed the connection");
}

async function connected(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve).once("error", reject);
  });
  return socket;
}

function wholeAnswer(text: string): Answer | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
  const body = text.slice(end + 4);
  return body.length < length ? undefined : { status: Number(text.slice(9, 12)), body };
}

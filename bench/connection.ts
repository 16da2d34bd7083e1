import { connect, type Socket } from "node:net";

export interface RawResponse {
  readonly status: number;
  readonly body: string;
}

/** A keep-alive connection with one call at a time. The client is minimal, so that the server is measured. */
export interface Connection {
  call(request: string): Promise<RawResponse>;
  readonly close: () => void;
}

export async function openConnection(port: number): Promise<Connection> {
  const socket = await connectTo(port);
  let received = "";
  let pending: PromiseWithResolvers<RawResponse> | undefined;
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    received += chunk;
    const response = parseComplete(received);
    if (response === undefined) return;
    received = "";
    const completed = pending;
    pending = undefined;
    completed?.resolve(response);
  });
  socket.on("close", () => pending?.reject(closedError()));
  return {
    call: async (request) => {
      if (socket.destroyed) throw closedError();
      pending = Promise.withResolvers();
      socket.write(request);
      return pending.promise;
    },
    close: () => void socket.destroy(),
  };
}

export async function openConnections(port: number, count: number): Promise<readonly Connection[]> {
  return Promise.all(Array.from({ length: count }, () => openConnection(port)));
}

/** The complete text of a POST request. */
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

function closedError(): Error {
  return new Error("the server closed the connection");
}

async function connectTo(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve).once("error", reject);
  });
  return socket;
}

/** The response, once all of it has been received. */
function parseComplete(text: string): RawResponse | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
  const body = text.slice(end + 4);
  return body.length < length ? undefined : { status: Number(text.slice(9, 12)), body };
}

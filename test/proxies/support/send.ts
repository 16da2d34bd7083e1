import { request } from "node:http";

export interface Sent {
  readonly method?: string;
  /** Bearer. */
  readonly token?: string;
  /** Header lines in order; a name may come again, in any spelling. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
}

export interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** Sends a call with unchanged path and header names. */
export async function send(port: number, path: string, sent: Sent = {}): Promise<Got> {
  const { method = "GET", body } = sent;
  return new Promise((resolve, reject) => {
    const call = request({
      host: "127.0.0.1",
      port,
      path,
      method,
      agent: false,
      headers: linesOf(port, sent),
    });
    call.on("error", reject);
    call.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
    });
    call.end(body);
  });
}

/** Opens a websocket and sends `text`. Returns the echo, or the status of the refusal. */
export async function sayThroughWebsocket(
  port: number,
  path: string,
  sent: Sent,
  text: string,
): Promise<string | number> {
  const wanted = [
    ["Connection", "Upgrade"],
    ["Upgrade", "websocket"],
    ["Sec-WebSocket-Version", "13"],
    ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
  ] as const;
  const headers = linesOf(port, { ...sent, headers: [...wanted, ...(sent.headers ?? [])] });
  return new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port, path, agent: false, headers });
    call.on("error", reject);
    call.on("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    call.on("upgrade", (_, socket) => {
      socket.on("error", reject);
      socket.once("data", (data: Buffer) => {
        resolve(data.toString());
        socket.destroy();
      });
      socket.write(text);
    });
    call.end();
  });
}

function linesOf(port: number, { token, headers = [], body }: Sent): string[] {
  return [
    ["Host", `127.0.0.1:${port}`],
    ...(token === undefined ? [] : [["Authorization", `Bearer ${token}`]]),
    ...(body === undefined ? [] : [["Content-Length", String(Buffer.byteLength(body))]]),
    ...headers,
  ].flat();
}

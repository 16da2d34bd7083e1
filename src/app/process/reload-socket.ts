import { chmodSync, rmSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { dirname, join, relative, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { secondMs } from "../../core/values/time.ts";

/** What became of a reload, in full: whoever asked for it sees it at once. */
export type ReloadResult =
  | {
      readonly ok: true;
      readonly file: string;
      readonly identities: number;
      readonly policies: number;
      readonly changed: number;
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly string[] };

export interface ReloadSocket {
  close(): Promise<void>;
}

/** `systemctl reload` gives up after 90 seconds by default; this says why before that. */
const answerMaxMs = 60 * secondMs;
/** The system has room for 104 bytes or a few more, and cuts a longer name off without a word. */
const addressBytesMax = 100;
/** More than anybody needs at the same time; whoever comes then is turned away. */
const connectionsMax = 8;

/** Beside the database, so that whoever may open the data folder may ask for a reload, and nobody else. */
export function reloadSocketOf(databaseFile: string): string {
  return join(dirname(databaseFile), "reload.sock");
}

/**
 * Answers everybody who connects with the result of a reload, as one line of JSON. Only for the process that holds the
 * data folder: what an earlier one left under this name is removed.
 */
export async function openReloadSocket(
  path: string,
  reload: () => Promise<ReloadResult>,
): Promise<ReloadSocket> {
  const address = addressOf(path);
  rmSync(path, { force: true });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // Whoever has gone away misses the answer; the reload itself goes on.
    socket.on("error", () => undefined);
    void reload().then((result) => socket.end(`${JSON.stringify(result)}\n`));
  });
  server.maxConnections = connectionsMax;
  await new Promise<void>((opened, failed) => {
    server.once("error", failed);
    server.listen(address, opened);
  });
  chmodSync(path, 0o600);
  server.unref();
  return {
    close: async () => {
      const closed = new Promise<void>((done) => {
        server.close(() => done());
      });
      for (const socket of sockets) socket.destroySoon();
      await closed;
    },
  };
}

/** Has the service that holds this data folder reload. @throws Error of the system when there is none, or it is silent */
export async function requestReload(path: string): Promise<ReloadResult> {
  const socket = createConnection(addressOf(path));
  socket.setTimeout(answerMaxMs, () => {
    socket.destroy(new Error(`no answer within ${answerMaxMs / secondMs} seconds`));
  });
  return JSON.parse(await text(socket));
}

/** The path of a socket in its shorter form. @throws Error for one that no system takes */
function addressOf(path: string): string {
  const [absolute, fromHere] = [resolve(path), relative(process.cwd(), path)];
  const shorter = fromHere.length < absolute.length ? fromHere : absolute;
  if (Buffer.byteLength(shorter) <= addressBytesMax) return shorter;
  throw new Error(`the path ${absolute} is too long for a socket; shorten the data folder's`);
}

import { chmodSync, rmSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { dirname, join, relative, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { secondMs } from "../../core/values/time.ts";

/** The complete result of a reload, for the operator who asked for it. */
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

/** Shorter than the 90 seconds of `systemctl reload`, so that the operator sees the reason. */
const responseTimeoutMs = 60 * secondMs;
/** Systems allow 104 bytes or a few more for a socket path, and truncate a longer one silently. */
const addressBytesMax = 100;
/** More connections than anybody needs at once; further ones are refused. */
const connectionsMax = 8;

/** Beside the database, so that only accounts with access to the data folder can reload. */
export function reloadSocketOf(databaseFile: string): string {
  return join(dirname(databaseFile), "reload.sock");
}

/**
 * Reloads for each connection and sends the result as one line of JSON. Call it only in the process that has locked the
 * data folder, because it removes a socket that an earlier process left.
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
    // A client that disconnects misses the result, but the reload continues.
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

/** Asks the service of this data folder to reload. @throws a system error when no service runs or it does not respond */
export async function requestReload(path: string): Promise<ReloadResult> {
  const socket = createConnection(addressOf(path));
  socket.setTimeout(responseTimeoutMs, () => {
    socket.destroy(new Error(`no answer within ${responseTimeoutMs / secondMs} seconds`));
  });
  return JSON.parse(await text(socket));
}

/** The shorter form of a socket path, absolute or relative. @throws Error for a path too long for any system */
function addressOf(path: string): string {
  const [absolute, fromHere] = [resolve(path), relative(process.cwd(), path)];
  const shorter = fromHere.length < absolute.length ? fromHere : absolute;
  if (Buffer.byteLength(shorter) <= addressBytesMax) return shorter;
  throw new Error(`the path ${absolute} is too long for a socket; shorten the data folder's`);
}

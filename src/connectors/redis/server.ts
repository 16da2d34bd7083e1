import { createClient } from "redis";
import { redisFault } from "./redis-fault.ts";

/** Sends one command. @returns its reply. */
export type Send = (...command: readonly string[]) => Promise<unknown>;

/** A Redis server, used with the rights of the broker. Every error is thrown as a ConnectorFault. */
export interface RedisServer {
  readonly use: <T>(signal: AbortSignal, work: (send: Send) => Promise<T>) => Promise<T>;
}

const connectTimeoutMs = 5_000;
const replyTimeoutMs = 10_000;

/** Opens a connection per job: jobs are few, and no idle connection keeps the rights of the broker. */
export function openRedis(name: string, url: string): RedisServer {
  return {
    async use(signal, work) {
      const client = createClient({
        url,
        RESP: 2,
        disableOfflineQueue: true,
        disableClientInfo: true,
        socket: {
          connectTimeout: connectTimeoutMs,
          socketTimeout: replyTimeoutMs,
          reconnectStrategy: false,
        },
      });
      // The failed call reports the error too, but without a listener the process would exit.
      client.on("error", () => {});
      const stop = (): void => {
        if (client.isOpen) client.destroy();
      };
      try {
        signal.throwIfAborted();
        signal.addEventListener("abort", stop, { once: true });
        await client.connect();
        return await work((...command) => client.sendCommand<unknown>(command));
      } catch (error) {
        throw redisFault(name, error, signal);
      } finally {
        signal.removeEventListener("abort", stop);
        stop();
      }
    },
  };
}

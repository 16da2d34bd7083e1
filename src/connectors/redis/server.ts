import { createClient } from "redis";
import { redisFault } from "./redis-fault.ts";

/** Sends one command, gives its answer. */
export type Send = (...command: readonly string[]) => Promise<unknown>;

/** A Redis server as the broker sees it. Whatever fails is thrown as a ConnectorFault. */
export interface RedisServer {
  readonly use: <T>(signal: AbortSignal, work: (send: Send) => Promise<T>) => Promise<T>;
}

const connectTimeoutMs = 5_000;
const answerTimeoutMs = 10_000;

/** A connection for each piece of work: there are few, and none is left lying about with the broker's rights. */
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
          socketTimeout: answerTimeoutMs,
          reconnectStrategy: false,
        },
      });
      // Said here and by the call that failed; without a listener the process would end.
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

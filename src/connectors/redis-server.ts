import { createClient, ErrorReply } from "redis";
import { ConnectorFault } from "../service/connector.ts";

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

function redisFault(name: string, error: unknown, signal: AbortSignal): ConnectorFault {
  if (error instanceof ConnectorFault) return error;
  if (signal.aborted) {
    return new ConnectorFault("timeout", `${name} took too long.`, { retryable: true, isTargetDown: true });
  }
  if (error instanceof ErrorReply) return answered(name, error.message);
  const code = error instanceof Error && "code" in error ? String(error.code) : "no answer";
  return new ConnectorFault("unreachable", `${name} cannot be reached (${code}).`, {
    retryable: true,
    isTargetDown: true,
  });
}

/** By the word an error begins with. Nothing more is repeated: a command may hold the hash of a password. */
function answered(name: string, message: string): ConnectorFault {
  const word = /^[A-Z]{2,20}\b/.exec(message)?.[0] ?? "ERR";
  const said = `${name}: Redis says ${word}.`;
  if (["LOADING", "MASTERDOWN", "CLUSTERDOWN", "BUSY", "TRYAGAIN"].includes(word)) {
    return new ConnectorFault("unreachable", said, { retryable: true, isTargetDown: true });
  }
  if (["NOPERM", "NOAUTH", "WRONGPASS"].includes(word)) {
    return new ConnectorFault("not_permitted", said, { retryable: false });
  }
  return new ConnectorFault("refused", said, { retryable: word === "OOM" });
}

import closeWithGrace from "close-with-grace";
import type { Logger } from "pino";
import { formatDuration, secondMs } from "../core/values/time.ts";

/**
 * Reloads the configuration on SIGHUP. A SIGHUP because our terminal was closed stops the service instead: nobody would
 * see it any more, and it would keep the data folder locked.
 */
export function reloadOnSighup(
  reload: () => Promise<unknown>,
  isTerminalClosed: () => boolean,
  log: Logger,
): void {
  process.on("SIGHUP", () => {
    if (!isTerminalClosed()) return void reload();
    log.warn("terminal closed");
    process.kill(process.pid, "SIGTERM");
  });
}

/** Stops once, in order, on a stop signal or an uncaught error. */
export function stopOnSignal(stop: () => Promise<void>, log: Logger): void {
  const delay = 10 * secondMs;
  const onTimeout = (): void => log.fatal(`did not stop within ${formatDuration(delay)}`);
  // SIGHUP reloads. By default closeWithGrace would stop on it.
  closeWithGrace({ delay, logger: false, skip: ["SIGHUP"], onTimeout }, async ({ err }) => {
    if (err !== undefined) log.error({ err }, "stopping after an uncaught error");
    await stop().catch((fault: unknown) => {
      log.fatal({ err: fault }, "did not stop cleanly");
      throw fault;
    });
  });
}

import closeWithGrace from "close-with-grace";
import type { Logger } from "pino";
import { formatDuration, secondMs } from "../core/values/time.ts";

/**
 * The configuration is read again at each SIGHUP; the log says what became of it. A SIGHUP because our terminal was closed
 * stops us instead: nobody would see the service any more, and it would keep the data folder.
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

/** Stops once, in order, on the signals that ask for it and on a fault nobody caught. */
export function stopOnSignal(stop: () => Promise<void>, log: Logger): void {
  const delay = 10 * secondMs;
  const onTimeout = (): void => log.fatal(`did not stop within ${formatDuration(delay)}`);
  // SIGHUP reloads; left to its own devices closeWithGrace would stop on it.
  closeWithGrace({ delay, logger: false, skip: ["SIGHUP"], onTimeout }, async ({ err }) => {
    if (err !== undefined) log.error({ err }, "stopping because of a fault");
    await stop().catch((fault: unknown) => {
      log.fatal({ err: fault }, "did not stop cleanly");
      throw fault;
    });
  });
}

import closeWithGrace from "close-with-grace";
import type { Logger } from "pino";
import { formatDuration, secondMs } from "../core/time.ts";
import { Refused } from "./refused.ts";

/** The configuration is read again at each SIGHUP, one reading after the other. */
export function reloadOnSighup(
  reload: () => Promise<void>,
  log: Logger,
): { readonly end: () => Promise<void> } {
  let reloading: Promise<void> = Promise.resolve();
  let isOver = false;
  process.on("SIGHUP", () => {
    if (isOver) return;
    reloading = reloading.then(reload).catch((error: unknown) => {
      const why = error instanceof Refused ? { problems: error.lines } : { err: error };
      log.error(why, "reload refused; nothing has changed");
    });
  });
  return {
    async end() {
      isOver = true;
      await reloading;
    },
  };
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

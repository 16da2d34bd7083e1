import type { Logger } from "@slack/bolt";
import type { SlackLog } from "./settings.ts";

/** Sends Bolt's messages to our log, which masks secrets. Only from `warn` on, because details contain typed text. */
export function createBoltLogger(log: SlackLog, level: ReturnType<Logger["getLevel"]>): Logger {
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: (...parts) => log.warn({ from: "bolt" }, text(parts)),
    error: (...parts) => log.error({ from: "bolt" }, text(parts)),
    setLevel: () => undefined,
    getLevel: () => level,
    setName: () => undefined,
  };
}

function text(parts: readonly unknown[]): string {
  return parts.map(String).join(" ").slice(0, 500);
}

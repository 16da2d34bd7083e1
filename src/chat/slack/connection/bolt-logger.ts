import type { Logger } from "@slack/bolt";
import type { SlackLog } from "./settings.ts";

/** Bolt's words go to our log, where secrets are masked; never below `warn`, for its details hold what people typed. */
export function boltLogger(log: SlackLog, level: ReturnType<Logger["getLevel"]>): Logger {
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

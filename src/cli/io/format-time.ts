import { dayMs, formatDuration, hourMs, minuteMs, secondMs } from "../../core/values/time.ts";
import type { CliIo } from "./cli-io.ts";
import { safeText } from "./safe-text.ts";

/** A duration for people, in at most two units: `3d4h`, `1h30m`, `45s`. */
export function roughDuration(ms: number): string {
  const size = ms >= dayMs ? hourMs : ms >= hourMs ? minuteMs : secondMs;
  return formatDuration(Math.floor(ms / size) * size);
}

/** Formats a time of the API: local and relative on a terminal, `14:05 (in 1h30m)`; unchanged for a pipe. */
export function formatTime(
  text: string | null,
  { isTerminal, now }: Pick<CliIo, "isTerminal" | "now">,
): string {
  if (text === null) return "-";
  const at = Date.parse(text);
  if (Number.isNaN(at)) return safeText(text);
  return isTerminal ? `${local(at, now())} (${relative(at - now())})` : text;
}

function relative(ms: number): string {
  if (Math.abs(ms) < secondMs) return "now";
  return ms > 0 ? `in ${roughDuration(ms)}` : `${roughDuration(-ms)} ago`;
}

/** The local time, with the day only if it is not today. */
function local(at: number, now: number): string {
  const [day, clock] = wallClock(at);
  return day === wallClock(now)[0] ? clock : `${day} ${clock}`;
}

function wallClock(at: number): readonly [day: string, clock: string] {
  const date = new Date(at);
  return [
    `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
    `${two(date.getHours())}:${two(date.getMinutes())}`,
  ];
}

function two(part: number): string {
  return String(part).padStart(2, "0");
}

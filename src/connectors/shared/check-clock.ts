import type { CheckFinding } from "../../service/ports/connector.ts";
import { finding } from "./check-finding.ts";

/** A target whose clock is further away ends access visibly early or late, where it ends it by itself. */
const clockDifferenceMaxMs = 5_000;

/** Compares a target's clock, read somewhere between `before` and `after` by ours. Milliseconds. */
export function clockFinding(theirs: number, before: number, after: number): CheckFinding {
  const difference = theirs < before ? theirs - before : Math.max(0, theirs - after);
  const what = `Its clock differs by ${(difference / 1_000).toFixed(1)} s`;
  const isClose = Math.abs(difference) <= clockDifferenceMaxMs;
  return finding(what, isClose, "Let both machines keep their clocks by NTP.");
}

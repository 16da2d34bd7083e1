import type { CheckFinding } from "../../service/ports/connector.ts";
import { finding } from "./check-finding.ts";

/** With a larger difference, a target that expires access by itself does so visibly early or late. */
const clockDifferenceMaxMs = 5_000;

/** Compares a target's clock, read between `before` and `after` by our clock. All in milliseconds. */
export function clockFinding(theirs: number, before: number, after: number): CheckFinding {
  const difference = theirs < before ? theirs - before : Math.max(0, theirs - after);
  const what = `Its clock differs by ${(difference / 1_000).toFixed(1)} s`;
  const isClose = Math.abs(difference) <= clockDifferenceMaxMs;
  return finding(what, isClose, "Let both machines keep their clocks by NTP.");
}

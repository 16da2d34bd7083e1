import type { Instant } from "../../core/values/ids.ts";
import { plus, secondMs } from "../../core/values/time.ts";

/** How many effects go one way out side by side. */
export const perWayMax = 8;
/** What stays inside waits for nobody but our own store, whose reads hold the event loop while they last. */
const insideMax = 100;
/** A way that is down is tried by one alone, after 1 s, 2 s, 4 s … up to this. */
export const holdMaxMs = 30 * secondMs;

/** Lets effects out, way by way: one that is blocked or slow takes no room from the others. */
export interface Gate {
  /** Ways that take nothing more for now. */
  closed(): readonly string[];
  /** Whether one more may go this way; it then has. */
  enter(way: string): boolean;
  /** One has come back. Answers when the way is tried again, if it is found down. */
  leave(way: string, found: WayFound): Instant | undefined;
}

/** Somebody got through, nobody gets through, or it was not tried. */
export type WayFound = "up" | "down" | "untried";

interface Way {
  readonly max: number;
  inFlight: number;
  /** How often in a row it was found down. */
  downs: number;
  heldUntil: Instant | undefined;
}

export function createGate(now: () => Instant): Gate {
  const ways = new Map<string, Way>();
  const wayOf = (name: string): Way => {
    const known = ways.get(name) ?? {
      inFlight: 0,
      downs: 0,
      heldUntil: undefined,
      max: name === "inside" ? insideMax : perWayMax,
    };
    ways.set(name, known);
    return known;
  };
  const isFull = ({ inFlight, downs, heldUntil, max }: Way): boolean =>
    (heldUntil !== undefined && now() < heldUntil) || inFlight >= (downs > 0 ? 1 : max);
  return {
    closed: () => [...ways].filter(([, way]) => isFull(way)).map(([name]) => name),
    enter(name) {
      const way = wayOf(name);
      if (isFull(way)) return false;
      way.inFlight++;
      return true;
    },
    leave(name, found) {
      const way = wayOf(name);
      way.inFlight--;
      if (found === "untried") return undefined;
      if (found === "up") {
        way.downs = 0;
        way.heldUntil = undefined;
        return undefined;
      }
      // Those who left together found the same fault: it counts once.
      if (way.heldUntil === undefined || now() >= way.heldUntil) {
        way.heldUntil = plus(now(), Math.min(holdMaxMs, secondMs * 2 ** Math.min(way.downs, 10)));
        way.downs++;
      }
      return way.heldUntil;
    },
  };
}

import type { Instant } from "../../core/values/ids.ts";
import { plus, secondMs } from "../../core/values/time.ts";

/** How many effects go one way out side by side. */
export const perDestinationMax = 8;
/** What stays inside waits for nobody but our own store, whose reads hold the event loop while they last. */
const internalMax = 100;
/** A way that is down is tried by one alone, after 1 s, 2 s, 4 s … up to this. */
export const openMaxMs = 30 * secondMs;

/** Lets effects out, way by way: one that is blocked or slow takes no room from the others. */
export interface CircuitBreakers {
  /** Ways that take nothing more for now. */
  blocked(): readonly string[];
  /** Whether one more may go this way; it then has. */
  tryAcquire(destination: string): boolean;
  /** One has come back. Answers when the way is tried again, if it is found down. */
  release(destination: string, result: CallResult): Instant | undefined;
}

/** Somebody got through, nobody gets through, or it was not tried. */
export type CallResult = "up" | "down" | "untried";

interface Destination {
  readonly max: number;
  inFlight: number;
  /** How often in a row it was found down. */
  failures: number;
  openUntil: Instant | undefined;
}

export function createCircuitBreakers(now: () => Instant): CircuitBreakers {
  const destinations = new Map<string, Destination>();
  const destinationNamed = (name: string): Destination => {
    const known = destinations.get(name) ?? {
      inFlight: 0,
      failures: 0,
      openUntil: undefined,
      max: name === "internal" ? internalMax : perDestinationMax,
    };
    destinations.set(name, known);
    return known;
  };
  const isBlocked = ({ inFlight, failures, openUntil, max }: Destination): boolean =>
    (openUntil !== undefined && now() < openUntil) || inFlight >= (failures > 0 ? 1 : max);
  return {
    blocked: () =>
      [...destinations].filter(([, destination]) => isBlocked(destination)).map(([name]) => name),
    tryAcquire(name) {
      const destination = destinationNamed(name);
      if (isBlocked(destination)) return false;
      destination.inFlight++;
      return true;
    },
    release(name, result) {
      const destination = destinationNamed(name);
      destination.inFlight--;
      if (result === "untried") return undefined;
      if (result === "up") {
        destination.failures = 0;
        destination.openUntil = undefined;
        return undefined;
      }
      // Those who left together found the same fault: it counts once.
      if (destination.openUntil === undefined || now() >= destination.openUntil) {
        destination.openUntil = plus(
          now(),
          Math.min(openMaxMs, secondMs * 2 ** Math.min(destination.failures, 10)),
        );
        destination.failures++;
      }
      return destination.openUntil;
    },
  };
}

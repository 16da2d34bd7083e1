import type { Instant } from "../../core/values/ids.ts";
import { plus, secondMs } from "../../core/values/time.ts";

/** How many effects run at one destination at the same time. */
export const perDestinationMax = 8;
/** Internal effects wait only for our own store. The limit bounds how long its reads block the event loop. */
const internalMax = 100;
/** A destination that is down gets a single probe after 1 s, 2 s, 4 s …, at most this far apart. */
export const openMaxMs = 30 * secondMs;

/** A concurrency limit and a circuit breaker per destination, so that a slow destination delays no other. */
export interface CircuitBreakers {
  /** Destinations that accept no effect at the moment. */
  blocked(): readonly string[];
  /** Takes a slot at the destination; false: there is none. */
  tryAcquire(destination: string): boolean;
  /** Gives the slot back. @returns when the destination is tried again, if it is down. */
  release(destination: string, result: CallResult): Instant | undefined;
}

/** The destination answered, it is down, or it was not called. */
export type CallResult = "up" | "down" | "untried";

interface Destination {
  readonly max: number;
  inFlight: number;
  /** How many calls in a row found it down. */
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
      // Calls in flight together see the same outage: count it once.
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

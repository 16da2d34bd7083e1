import { setImmediate } from "node:timers/promises";

/** Lets the event loop serve whatever is waiting, then goes on. */
export async function yieldToEventLoop(): Promise<void> {
  await setImmediate();
}

import { setImmediate } from "node:timers/promises";

/** Lets the event loop serve pending events before the caller continues. */
export async function yieldToEventLoop(): Promise<void> {
  await setImmediate();
}

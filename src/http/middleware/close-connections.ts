import { secondMs } from "../../core/values/time.ts";
import type { App } from "./route-access.ts";

/** How long a shutdown waits for requests in flight. */
const closeTimeoutMs = 5 * secondMs;
const pollMs = 50;

/**
 * Bounds shutdown. The server would wait for every connection that was busy at close(), even one that a proxy keeps open
 * in its pool, and its own timeouts no longer apply then.
 */
export function closeConnectionsSoon(app: App): void {
  app.addHook("preClose", async () => {
    const idle = setInterval(() => app.server.closeIdleConnections(), pollMs);
    const deadline = setTimeout(() => app.server.closeAllConnections(), closeTimeoutMs);
    app.server.once("close", () => {
      clearInterval(idle);
      clearTimeout(deadline);
    });
  });
}

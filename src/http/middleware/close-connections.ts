import { secondMs } from "../../core/values/time.ts";
import type { App } from "./route-access.ts";

/** An answer that takes longer than this to be asked for or given is not waited for. */
const lastAnswersMs = 5 * secondMs;
const pollMs = 50;

/**
 * Makes closing end soon: the server itself would wait for every connection that was busy when closing began, however
 * long it is then kept open by a proxy's pool, and its own time limits no longer hold by then.
 */
export function closeConnectionsSoon(app: App): void {
  app.addHook("preClose", async () => {
    const idle = setInterval(() => app.server.closeIdleConnections(), pollMs);
    const last = setTimeout(() => app.server.closeAllConnections(), lastAnswersMs);
    app.server.once("close", () => {
      clearInterval(idle);
      clearTimeout(last);
    });
  });
}

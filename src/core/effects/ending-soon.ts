import type { Recorded } from "../access/events.ts";
import type { GrantId, Instant } from "../values/ids.ts";
import { instant } from "../values/ids.ts";
import { minuteMs, plus } from "../values/time.ts";

/** The notice is sent this long before the end. For short access, it is sent in the last third. */
const noticeMaxMs = 10 * minuteMs;

/** When to send the notice that access ends soon: for the first end, and for every later one. */
export function endingSoonOf(
  recorded: Recorded,
): { readonly grantId: GrantId; readonly expiresAt: Instant; readonly at: Instant } | undefined {
  if (recorded.on !== "grant") return undefined;
  const { event, id: grantId } = recorded;
  if (event.type === "GrantStarted") {
    const { startedAt, expiresAt } = event.grant;
    return { grantId, expiresAt, at: endingSoonAt(startedAt, expiresAt) };
  }
  if (event.type !== "GrantExtended") return undefined;
  return { grantId, expiresAt: event.expiresAt, at: endingSoonAt(event.at, event.expiresAt) };
}

function endingSoonAt(from: Instant, expiresAt: Instant): Instant {
  return instant(Math.max(from, plus(expiresAt, -Math.min(noticeMaxMs, (expiresAt - from) / 3))));
}

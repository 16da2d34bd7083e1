import type { Recorded } from "../access/events.ts";
import type { GrantId, Instant } from "../values/ids.ts";
import { instant } from "../values/ids.ts";
import { minuteMs, plus } from "../values/time.ts";

/** People are told this long before the end, or at the last third of what they have, if that is less. */
const noticeMaxMs = 10 * minuteMs;

/** When to tell that access is nearly over: at its start and again whenever its end has moved. */
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

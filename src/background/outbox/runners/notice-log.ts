import type { AccessRequest } from "../../../core/access/access-request.ts";
import type { Notice, NoticeKind } from "../../../core/effects/notices.ts";

/** Every notice is logged besides, because the log works when no surface does. */
export interface NoticeLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

const alertKinds: ReadonlySet<NoticeKind> = new Set([
  "break_glass_used",
  "review_overdue",
  "break_glass_reviewed",
  "target_overdue",
]);

export function logNotice(
  log: NoticeLog,
  { id, requirement, breakGlass }: AccessRequest,
  { notice, people }: Notice,
): void {
  const channels = breakGlass === undefined ? requirement.channels : breakGlass.notify;
  const facts = { notice, request: id, people, channels };
  if (alertKinds.has(notice)) log.warn(facts, "notice");
  else log.info(facts, "notice");
}

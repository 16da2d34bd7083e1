import { systemActor } from "../../../core/access/access-case.ts";
import type { AccessRequest } from "../../../core/access/access-request.ts";
import type { AuditEntry } from "../../../core/audit/audit-record.ts";
import { noticeRules, type Notice } from "../../../core/effects/notices.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Runner } from "../runner.ts";
import { logNotice, type NoticeLog } from "./notice-log.ts";
import { planAnnouncement } from "./plan-announcement.ts";

/** Turns a change of a request into messages: its notices, by {@link noticeRules}, and updates of all its cards. */
export function createAnnouncer(context: ServiceContext, log: NoticeLog): Runner<"announce"> {
  return {
    async run({ requestId, notices }) {
      const found = await context.store.request(requestId);
      if (found === undefined) return undefined;
      const request = found.request.value;
      for (const notice of notices) logNotice(log, request, notice);
      const audit = notices.flatMap((notice) => recordUnconfiguredChannels(context, request, notice));
      if (context.surfaces.configured.size === 0) return { audit };
      return { ...(await planAnnouncement(context, request, notices)), audit };
    },
  };
}

/** Records the channels that a policy names and this installation does not have: nobody is notified there. */
function recordUnconfiguredChannels(
  { surfaces, runtime }: ServiceContext,
  { id, requirement, breakGlass }: AccessRequest,
  { notice }: Notice,
): readonly AuditEntry[] {
  const isAlert = breakGlass !== undefined && noticeRules[notice].some(({ to }) => to === "alerted");
  // Ordinary channels are recorded once for each request, with its first notice.
  const isFirst = breakGlass === undefined && notice === "submitted";
  return (isAlert ? breakGlass.notify : isFirst ? requirement.channels : [])
    .filter((channel) => surfaces.addressOfChannel(channel) === undefined)
    .map((channel) => ({
      at: runtime.now(),
      action: "notification.failed",
      actor: systemActor,
      request: id,
      data: {
        surface: channel.slice(0, channel.indexOf(":")),
        channel,
        what: notice,
        code: "not_configured",
      },
    }));
}

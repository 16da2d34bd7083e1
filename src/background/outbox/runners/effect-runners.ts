import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Services } from "../../../service/services.ts";
import { createAdminAlerts } from "./alert-admins.ts";
import { createEndingAnnouncer } from "./announce-ending.ts";
import { createKeyAnnouncer, createKeyExpiryAnnouncer } from "./announce-keys.ts";
import { createLinkAnnouncer } from "./announce-link.ts";
import { createLinkRequestAnnouncer } from "./announce-link-request.ts";
import { createWaitingAnnouncer } from "./announce-waiting.ts";
import { createApproverReviewer } from "./review-approvers.ts";
import { createAnnouncer } from "./announce-request.ts";
import type { NoticeLog } from "./notice-log.ts";
import { createDeliveryCheck } from "./check-delivery.ts";
import type { Runners } from "../runner.ts";
import { createCardUpdater } from "./update-card.ts";
import { createTargetRunners } from "./target-runners.ts";
import { createNoteSender } from "./send-note.ts";
import { createLinkNoteUpdates, createNoteUpdates } from "./update-note.ts";

/** One runner for each kind of effect. */
export function createRunners(
  context: ServiceContext,
  {
    grants,
    cards,
    targets,
    approverReviews,
  }: Pick<Services, "grants" | "cards" | "targets" | "approverReviews">,
  log: NoticeLog,
): Runners {
  return {
    announce: createAnnouncer(context, log),
    announce_key: createKeyAnnouncer(context, log),
    announce_waiting: createWaitingAnnouncer(context),
    announce_link: createLinkAnnouncer(context, log),
    announce_key_expiry: createKeyExpiryAnnouncer(context, log),
    request_link: createLinkRequestAnnouncer(context, log),
    alert_admins: createAdminAlerts(context, log),
    announce_ending: createEndingAnnouncer(context),
    check_delivery: createDeliveryCheck(context),
    update_card: createCardUpdater(context, cards),
    send_note: createNoteSender(context, cards),
    update_note: createNoteUpdates(context, cards),
    links_made: createLinkNoteUpdates(context),
    ...createTargetRunners(targets),
    review_approvers: createApproverReviewer(context, approverReviews),
    end_access_of: {
      run: ({ identityId }) => grants.endAccessOf(identityId, "its holder is no longer active"),
    },
  };
}

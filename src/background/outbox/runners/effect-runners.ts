import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Services } from "../../../service/services.ts";
import { createAdminAlerts } from "./alert-admins.ts";
import { createEndingAnnouncing, createLinkAnnouncing } from "./announce-other-notices.ts";
import { createKeyAnnouncing, createKeyExpiryAnnouncing } from "./announce-keys.ts";
import { createLinkMadeAnnouncing, createWaitingAnnouncing } from "./announce-reachable.ts";
import { createApproverReviewing } from "./review-approvers.ts";
import { createAnnouncing, type NoticeLog } from "./announce-request.ts";
import { createLookingAgain } from "./check-delivery.ts";
import type { Runners } from "../runner.ts";
import { createShowing } from "./update-card.ts";
import { createTargetRunners } from "./target-runners.ts";
import { createTelling } from "./send-note.ts";
import { createLinkNoteUpdates, createNoteUpdates } from "./update-note.ts";

/** Every kind of effect with what does it. */
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
    announce: createAnnouncing(context, log),
    announce_key: createKeyAnnouncing(context, log),
    announce_waiting: createWaitingAnnouncing(context),
    announce_link: createLinkMadeAnnouncing(context, log),
    announce_key_expiry: createKeyExpiryAnnouncing(context, log),
    tell_link: createLinkAnnouncing(context, log),
    alert_admins: createAdminAlerts(context, log),
    announce_ending: createEndingAnnouncing(context),
    look_again: createLookingAgain(context),
    show: createShowing(context, cards),
    tell: createTelling(context, cards),
    update_note: createNoteUpdates(context, cards),
    links_made: createLinkNoteUpdates(context),
    ...createTargetRunners(targets),
    review_approvers: createApproverReviewing(context, approverReviews),
    end_access_of: {
      run: ({ identityId }) => grants.endAccessOf(identityId, "its holder is no longer active"),
    },
  };
}

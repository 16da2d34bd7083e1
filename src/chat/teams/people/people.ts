import type { ChatAccount } from "../../../core/values/identity.ts";
import { isRefusal, refuse, type Refusal } from "../../../core/values/refusals.ts";
import { secondMs } from "../../../core/values/time.ts";
import type { Instant } from "../../../core/values/ids.ts";
import type { Caller } from "../../../service/ports/caller.ts";
import type { AccountLinks } from "../../../service/messaging/account-links.ts";
import type { RefusalLog } from "../../../service/reports/refusal-log.ts";
import type { UnlinkedUser } from "../../conversation/chat.ts";
import { conversationIdOf, type Activity } from "../connection/activity.ts";
import type { BotConnector, Member } from "../connection/bot-connector.ts";
import type { Conversations } from "./conversation-references.ts";

/** Who stands behind an activity: somebody we know, a member of our tenant without a link, or nobody to talk to. */
export type Sender =
  | { readonly kind: "known"; readonly caller: Caller }
  | { readonly kind: "unlinked"; readonly unlinkedUser: UnlinkedUser; readonly refusal: Refusal }
  | { readonly kind: "refused"; readonly refusal: Refusal };

export interface TeamsPeople {
  /** Asked anew at each press: the platform who this is, and the store whom they are linked to. */
  senderOf(activity: Activity): Promise<Sender>;
  /** Messages reach this account of our tenant from now on. */
  becameReachable(aadObjectId: string): Promise<void>;
  /** Puts on record that somebody of another tenant has tried. */
  recordForeign(activity: Activity): Promise<void>;
}

export interface TeamsPeopleDeps {
  readonly connector: BotConnector;
  readonly conversations: Conversations;
  readonly accountLinks: AccountLinks;
  readonly refusals: RefusalLog;
  readonly now: () => Instant;
  readonly onFault: (fault: unknown) => void;
}

/** An invoke is answered within three seconds, so this must be quick or it has failed. */
const checkTimeoutMs = 2 * secondMs;

const membersOnly = refuse(
  "identity_inactive",
  "Guests and people from elsewhere can neither ask nor decide here; members of the organisation can.",
);
const cannotVerify = refuse("unauthenticated", "Teams could not say right now who this is.");
const anotherTenant = refuse("unauthenticated", "The activity is of another tenant.");

export function createTeamsPeople(
  settings: { readonly tenantId: string; readonly linkByEmail: boolean },
  { connector, conversations, accountLinks, refusals, now, onFault }: TeamsPeopleDeps,
): TeamsPeople {
  /** As the platform says at this moment. */
  const memberOf = async (activity: Activity): Promise<Member | Refusal> => {
    const { from, conversation, serviceUrl } = activity;
    if (from?.aadObjectId === undefined || conversation === undefined || serviceUrl === undefined) {
      return cannotVerify;
    }
    const personal = await conversations.person(from.aadObjectId);
    const conversationIds = [conversationIdOf(conversation.id), personal?.conversationId ?? undefined];
    const signal = AbortSignal.timeout(checkTimeoutMs);
    // A dialog may be opened where we are no member: then the conversation between the two of us can tell.
    for (const conversationId of new Set(conversationIds)) {
      if (conversationId === undefined) continue;
      try {
        const member = await connector.member(serviceUrl, conversationId, from.id, signal);
        if (member === "incomplete" || member === undefined) continue;
        return isSame(member, from.aadObjectId, settings.tenantId) ? member : membersOnly;
      } catch (error) {
        onFault(error);
      }
    }
    return cannotVerify;
  };

  const record = async (activity: Activity, refusal: Refusal): Promise<void> => {
    const { from } = activity;
    const tenant = activity.channelData?.tenant?.id ?? activity.conversation?.tenantId ?? "unknown";
    const id = `teams:${tenant}:${from?.aadObjectId ?? from?.id ?? "unknown"}`;
    const actor = { type: "human", id, name: from?.name ?? "unknown", via: "teams" } as const;
    try {
      await refusals.record(actor, { action: "decision.refused", verb: "chat" }, refusal, now());
    } catch (error) {
      onFault(error);
    }
  };

  return {
    async senderOf(activity) {
      const member = await memberOf(activity);
      if (isRefusal(member)) {
        await record(activity, member);
        return { kind: "refused", refusal: member };
      }
      const account = {
        surface: "teams",
        team: settings.tenantId,
        user: activity.from?.aadObjectId ?? "",
      } as const;
      const caller = await callerOf(accountLinks, account, member, settings.linkByEmail);
      if (!isRefusal(caller)) return { kind: "known", caller };
      if (caller.refused !== "identity_not_linked") {
        await record(activity, caller);
        return { kind: "refused", refusal: caller };
      }
      const unlinkedUser = { account, displayName: member.name, email: member.userPrincipalName };
      return { kind: "unlinked", unlinkedUser, refusal: caller };
    },
    becameReachable: (aadObjectId) =>
      accountLinks.becameReachable({ surface: "teams", team: settings.tenantId, user: aadObjectId }),
    recordForeign: (activity) => record(activity, anotherTenant),
  };
}

/** The signed sender, of our tenant, and no guest. */
function isSame(member: Member, aadObjectId: string, tenantId: string): boolean {
  return (
    member.userRole === "user" &&
    member.tenantId.toLowerCase() === tenantId &&
    member.aadObjectId.toLowerCase() === aadObjectId.toLowerCase()
  );
}

async function callerOf(
  accountLinks: AccountLinks,
  account: ChatAccount,
  { userPrincipalName }: Member,
  linksByEmail: boolean,
): Promise<Caller | Refusal> {
  const caller = await accountLinks.callerOf(account);
  const mayLink = isRefusal(caller) && caller.refused === "identity_not_linked" && linksByEmail;
  return mayLink && userPrincipalName !== null
    ? accountLinks.linkByEmail(account, userPrincipalName)
    : caller;
}

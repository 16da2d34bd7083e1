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
import type { ConversationReferences } from "./conversation-references.ts";

/** The person behind an activity: known to us, a member of our tenant who can ask to be linked, or refused. */
export type Sender =
  | { readonly kind: "known"; readonly caller: Caller }
  | { readonly kind: "unlinked"; readonly unlinkedUser: UnlinkedUser; readonly refusal: Refusal }
  | { readonly kind: "refused"; readonly refusal: Refusal };

export interface TeamsPeople {
  /** Asks Teams and the store who this is, for each activity again. */
  senderOf(activity: Activity): Promise<Sender>;
  /** From now on messages reach this account of our tenant. */
  becameReachable(aadObjectId: string): Promise<void>;
  /** Records an attempt from another tenant. */
  recordForeign(activity: Activity): Promise<void>;
}

export interface TeamsPeopleDeps {
  readonly connector: BotConnector;
  readonly conversations: ConversationReferences;
  readonly accountLinks: AccountLinks;
  readonly refusals: RefusalLog;
  readonly now: () => Instant;
  readonly onFault: (fault: unknown) => void;
}

/** Time limit of the look-up in Teams, because an invoke must be answered within three seconds. */
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
  const memberOf = async (activity: Activity): Promise<Member | Refusal> => {
    const { from, conversation, serviceUrl } = activity;
    if (from?.aadObjectId === undefined || conversation === undefined || serviceUrl === undefined) {
      return cannotVerify;
    }
    const personal = await conversations.person(from.aadObjectId);
    const conversationIds = [conversationIdOf(conversation.id), personal?.conversationId ?? undefined];
    const signal = AbortSignal.timeout(checkTimeoutMs);
    // A dialog may be opened in a chat without the bot; then the personal conversation can tell.
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

/** Whether this is the signed sender, a member of our tenant and not a guest. */
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

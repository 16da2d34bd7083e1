import { z } from "zod";
import { refuse, isRefusal, type Refusal } from "../../../core/values/refusals.ts";
import type { Caller } from "../../../service/ports/caller.ts";
import type { AccountLinks } from "../../../service/messaging/account-links.ts";
import type { UnlinkedUser } from "../../conversation/chat.ts";
import type { Freshness } from "../../../service/ports/user-groups.ts";
import type { SlackTeam } from "../connection/bot.ts";
import { slackErrorOf } from "../connection/delivery-faults.ts";
import type { SlackClient } from "../connection/slack-client.ts";

/** The ids of a sender, as the signed payload names them. */
export interface SenderIds {
  readonly userId: string;
  /** The workspace the person belongs to. In shared channels people of other workspaces can press our buttons. */
  readonly teamId: string | undefined;
  readonly enterpriseId: string | undefined;
}

/** The person behind a payload: known to us, a full member who can ask to be linked, or refused. */
export type Sender =
  | { readonly kind: "known"; readonly caller: Caller }
  | { readonly kind: "unlinked"; readonly unlinkedUser: UnlinkedUser; readonly refusal: Refusal }
  | { readonly kind: "refused"; readonly refusal: Refusal };

export interface SlackPeople {
  /** Asks Slack and the store who this is. `freshness` "cached" accepts what Slack said within the last minute. */
  senderOf(ids: SenderIds, freshness?: Freshness): Promise<Sender>;
}

/** Time limit of the look-up at Slack, because a press waits for it. */
const checkTimeoutMs = 2_000;

const member = z.object({
  id: z.string(),
  team_id: z.string().optional(),
  deleted: z.boolean().default(false),
  is_bot: z.boolean().default(false),
  is_app_user: z.boolean().default(false),
  is_restricted: z.boolean().default(false),
  is_ultra_restricted: z.boolean().default(false),
  is_stranger: z.boolean().default(false),
  is_email_confirmed: z.boolean().default(true),
  real_name: z.string().optional(),
  name: z.string().optional(),
  profile: z
    .object({ email: z.string().max(320).optional(), display_name: z.string().max(500).optional() })
    .default({}),
});

type Member = z.output<typeof member>;

export interface SlackPeopleOptions {
  readonly accountLinks: AccountLinks;
  readonly client: SlackClient;
  /** Our workspace, or the organisation it belongs to. */
  readonly team: () => SlackTeam | undefined;
  readonly linkByEmail: boolean;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** How long a member's profile is cached for calls that decide nothing. */
const cachedMs = 60_000;
const cachedMax = 1_000;

/**
 * Maps the sender of a payload to an identity. Every press asks Slack again. Typing in a form sends several payloads a
 * second, which Slack would soon rate-limit, so those accept a profile of the last minute.
 */
export function createSlackPeople({
  accountLinks,
  client,
  team,
  linkByEmail,
  now,
}: SlackPeopleOptions): SlackPeople {
  const cached = new Map<string, { readonly at: number; readonly member: Member }>();

  const memberOf = async (user: string, freshness: Freshness): Promise<Member | Refusal> => {
    const last = cached.get(user);
    if (freshness === "cached" && last !== undefined && now() - last.at < cachedMs) return last.member;
    const found = await lookUp(client, user);
    cached.delete(user);
    if (isRefusal(found)) return found;
    if (cached.size >= cachedMax) cached.clear();
    cached.set(user, { at: now(), member: found });
    return found;
  };

  return {
    async senderOf({ userId, teamId }, freshness = "verify") {
      const own = team();
      if (own === undefined) return { kind: "refused", refusal: cannotVerify };
      const isOurs = teamId === own.teamId || (own.enterpriseId !== undefined && teamId === own.enterpriseId);
      if (!isOurs) return { kind: "refused", refusal: notOurs };
      const found = await memberOf(userId, freshness);
      if (isRefusal(found)) return { kind: "refused", refusal: found };
      if (!isFullMember(found, own) || found.id !== userId) return { kind: "refused", refusal: notOurs };
      if (found.deleted) return { kind: "refused", refusal: deactivated };
      const account = { surface: "slack", team: own.teamId, user: found.id } as const;
      const caller = await accountLinks.callerOf(account);
      if (!isRefusal(caller)) return { kind: "known", caller };
      // An unconfirmed address does not prove who somebody is.
      const email = found.is_email_confirmed ? (found.profile.email ?? null) : null;
      if (caller.refused === "identity_not_linked" && linkByEmail && email !== null) {
        const linked = await accountLinks.linkByEmail(account, email);
        if (!isRefusal(linked)) return { kind: "known", caller: linked };
      }
      const displayName = found.real_name ?? found.profile.display_name ?? found.name ?? found.id;
      return { kind: "unlinked", unlinkedUser: { account, displayName, email }, refusal: caller };
    },
  };
}

function isFullMember(found: Member, own: SlackTeam): boolean {
  return (
    !found.is_bot &&
    !found.is_app_user &&
    !found.is_restricted &&
    !found.is_ultra_restricted &&
    !found.is_stranger &&
    (found.team_id === undefined || found.team_id === own.teamId || found.team_id === own.enterpriseId)
  );
}

const cannotVerify = refuse("unauthenticated", "Slack could not say who you are just now.");
const notOurs = refuse("identity_not_linked", "Only full members of this workspace can use this.");
const deactivated = refuse("identity_inactive", "This Slack account is deactivated.");

async function lookUp(client: SlackClient, user: string): Promise<Member | Refusal> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), checkTimeoutMs);
  try {
    const answer = await Promise.race([client.users.info({ user }), late]);
    const parsed = member.safeParse(answer?.user);
    return parsed.success ? parsed.data : cannotVerify;
  } catch (error) {
    return slackErrorOf(error) === "user_not_found" ? notOurs : cannotVerify;
  } finally {
    clearTimeout(timer);
  }
}

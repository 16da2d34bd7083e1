import { z } from "zod";
import { refuse, isRefusal, type Refusal } from "../../../core/values/refusals.ts";
import type { Caller } from "../../../service/ports/caller.ts";
import type { AccountLinks } from "../../../service/messaging/account-links.ts";
import type { UnlinkedUser } from "../../conversation/chat.ts";
import type { Freshness } from "../../../service/ports/user-groups.ts";
import type { SlackTeam } from "../connection/bot.ts";
import { slackErrorOf } from "../connection/delivery-faults.ts";
import type { SlackClient } from "../connection/slack-client.ts";

/** Who pressed or typed, as the signed payload says. */
export interface Sender {
  readonly userId: string;
  /** The workspace the person belongs to; another one's people meet ours in shared channels. */
  readonly teamId: string | undefined;
  readonly enterpriseId: string | undefined;
}

/** Who it is, or why not, with what is known of a stranger so that they can ask to be linked. */
export type Known =
  | { readonly caller: Caller }
  | { readonly refusal: Refusal; readonly unlinkedUser: UnlinkedUser | undefined };

/** How long Slack may take to say who somebody is; a press waits for it. */
const checkMs = 2_000;

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

/** How long it holds who somebody is at Slack, for what is only shown. */
const keptMs = 60_000;
const keptMax = 1_000;

/**
 * From the sender of a payload to the person we know. Presses ask Slack each time. Typing in a form comes many times a
 * second, which Slack would soon answer with nothing but "too many": it asks once a minute.
 */
export function createSlackPeople({ accountLinks, client, team, linkByEmail, now }: SlackPeopleOptions) {
  const kept = new Map<string, { readonly at: number; readonly member: Member }>();

  const memberOf = async (user: string, freshness: Freshness): Promise<Member | Refusal> => {
    const last = kept.get(user);
    if (freshness === "cached" && last !== undefined && now() - last.at < keptMs) return last.member;
    const found = await lookUp(client, user);
    kept.delete(user);
    if (isRefusal(found)) return found;
    if (kept.size >= keptMax) kept.clear();
    kept.set(user, { at: now(), member: found });
    return found;
  };

  return async (sender: Sender, freshness: Freshness = "verify"): Promise<Known> => {
    const own = team();
    if (own === undefined) return { refusal: cannotVerify, unlinkedUser: undefined };
    const isOurs =
      sender.teamId === own.teamId || (own.enterpriseId !== undefined && sender.teamId === own.enterpriseId);
    if (!isOurs) return { refusal: notOurs, unlinkedUser: undefined };
    const found = await memberOf(sender.userId, freshness);
    if (isRefusal(found)) return { refusal: found, unlinkedUser: undefined };
    if (!isFullMember(found, own) || found.id !== sender.userId) {
      return { refusal: notOurs, unlinkedUser: undefined };
    }
    if (found.deleted) return { refusal: isGone, unlinkedUser: undefined };
    const account = { surface: "slack", team: own.teamId, user: found.id } as const;
    const caller = await accountLinks.callerOf(account);
    if (!isRefusal(caller)) return { caller };
    // An address that nobody has confirmed says nothing about who somebody is.
    const email = found.is_email_confirmed ? (found.profile.email ?? null) : null;
    if (caller.refused === "identity_not_linked" && linkByEmail && email !== null) {
      const linked = await accountLinks.linkByEmail(account, email);
      if (!isRefusal(linked)) return { caller: linked };
    }
    const displayName = found.real_name ?? found.profile.display_name ?? found.name ?? found.id;
    return { refusal: caller, unlinkedUser: { account, displayName, email } };
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
const isGone = refuse("identity_inactive", "This Slack account is deactivated.");

async function lookUp(client: SlackClient, user: string): Promise<Member | Refusal> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), checkMs);
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

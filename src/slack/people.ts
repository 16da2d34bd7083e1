import { z } from "zod";
import { refuse, isRefusal, type Refusal } from "../core/refusals.ts";
import type { Caller } from "../service/caller.ts";
import type { ChatPeople } from "../service/chat-people.ts";
import type { Stranger } from "../chat/chat.ts";
import { slackErrorOf } from "./faults.ts";
import type { SlackClient } from "./outbound.ts";

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
  | { readonly refusal: Refusal; readonly stranger: Stranger | undefined };

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
  real_name: z.string().optional(),
  name: z.string().optional(),
  profile: z
    .object({ email: z.string().max(320).optional(), display_name: z.string().max(500).optional() })
    .default({}),
});

export interface SlackPeopleOptions {
  readonly people: ChatPeople;
  readonly client: SlackClient;
  /** Our workspace, or the organisation it belongs to. */
  readonly team: () => { readonly teamId: string; readonly enterpriseId: string | undefined } | undefined;
  readonly linkByEmail: boolean;
}

/** From the sender of a payload to the person we know, asked of Slack at each press. */
export function createSlackPeople({ people, client, team, linkByEmail }: SlackPeopleOptions) {
  return async (sender: Sender): Promise<Known> => {
    const own = team();
    if (own === undefined) return { refusal: cannotVerify, stranger: undefined };
    const isOurs =
      sender.teamId === own.teamId || (own.enterpriseId !== undefined && sender.teamId === own.enterpriseId);
    if (!isOurs) return { refusal: notOurs, stranger: undefined };
    const found = await lookUp(client, sender.userId);
    if (isRefusal(found)) return { refusal: found, stranger: undefined };
    const isMember =
      !found.is_bot &&
      !found.is_app_user &&
      !found.is_restricted &&
      !found.is_ultra_restricted &&
      !found.is_stranger &&
      (found.team_id === undefined || found.team_id === own.teamId || found.team_id === own.enterpriseId);
    if (!isMember || found.id !== sender.userId) return { refusal: notOurs, stranger: undefined };
    if (found.deleted) return { refusal: isGone, stranger: undefined };
    const account = { surface: "slack", team: own.teamId, user: found.id } as const;
    const caller = await people.callerOf(account);
    if (!isRefusal(caller)) return { caller };
    const email = found.profile.email ?? null;
    if (caller.refused === "identity_not_linked" && linkByEmail && email !== null) {
      const linked = await people.linkByEmail(account, email);
      if (!isRefusal(linked)) return { caller: linked };
    }
    const displayName = found.real_name ?? found.profile.display_name ?? found.name ?? found.id;
    return { refusal: caller, stranger: { account, displayName, email } };
  };
}

const cannotVerify = refuse("unauthenticated", "Slack could not say who you are just now.");
const notOurs = refuse("identity_not_linked", "Only full members of this workspace can use this.");
const isGone = refuse("identity_inactive", "This Slack account is deactivated.");

async function lookUp(client: SlackClient, user: string): Promise<z.output<typeof member> | Refusal> {
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

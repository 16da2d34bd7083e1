import { conversationIdOf, isPersonal, type Activity } from "../connection/activity.ts";
import type { Handled, InboundDeps } from "./inbound-deps.ts";
import { createInvokes } from "./invokes.ts";
import { createTypedCommands } from "./typed-commands.ts";
import { createDeduplicator } from "./deduplicator.ts";
import { welcome } from "./welcome-message.ts";

/** Handles an authenticated activity. */
export type Inbound = (activity: Activity) => Promise<Handled>;

export function createInbound(deps: InboundDeps): Inbound {
  const { conversations, onFault } = deps;
  const invokes = createInvokes(deps);
  const typedCommands = createTypedCommands(deps);
  // Teams reports an installation by two activities.
  const welcomes = createDeduplicator<Handled>(deps.now, () => false);
  const deduplicator = createDeduplicator<Handled>(deps.now, ({ isSecret }) => isSecret === true);

  const handle = async (activity: Activity): Promise<Handled> => {
    // A store that cannot be written is logged here; decisions report it to the person.
    if (isRemoval(activity)) {
      await conversations.leave(activity).catch(onFault);
      return {};
    }
    const isNew = await conversations.learn(activity).catch((error: unknown) => {
      onFault(error);
      return false;
    });
    if (isNew || isInstallation(activity)) await announceReachable(deps, activity);
    if (isInstallation(activity))
      return welcomes.once(conversationOf(activity), () => welcome(deps, activity));
    if (activity.type === "invoke") return invokes(activity);
    if (activity.type === "message") await typedCommands(activity);
    return {};
  };

  return (activity) => {
    const key = keyOf(activity);
    return key === undefined ? handle(activity) : deduplicator.once(key, () => handle(activity));
  };
}

/** The bot was removed from a chat or team. */
function isRemoval({ type, action, membersRemoved, recipient }: Activity): boolean {
  if (type === "installationUpdate") return action?.startsWith("remove") === true;
  return type === "conversationUpdate" && membersRemoved?.some(({ id }) => id === recipient?.id) === true;
}

/** The app was added: for a person, in a chat, or in a team. */
function isInstallation({ type, action, membersAdded, recipient }: Activity): boolean {
  if (type === "installationUpdate") return action === "add";
  return type === "conversationUpdate" && membersAdded?.some(({ id }) => id === recipient?.id) === true;
}

/** Sends a person who became reachable what waits for them. */
async function announceReachable(
  { people, onFault }: InboundDeps,
  { from, conversation }: Activity,
): Promise<void> {
  if (from?.aadObjectId === undefined || conversation === undefined || !isPersonal(conversation)) return;
  await people.becameReachable(from.aadObjectId).catch(onFault);
}

function conversationOf({ conversation }: Activity): string {
  return conversationIdOf(conversation?.id ?? "");
}

/** Identifies the activity of a sender, to find repetitions. An activity without an id counts as new. */
function keyOf({ type, id, from, conversation }: Activity): string | undefined {
  if (id === undefined || (type !== "invoke" && type !== "message")) return undefined;
  return JSON.stringify([type, id, from?.id, conversation?.id]);
}

import { conversationIdOf, isPersonal, type Activity } from "../connection/activity.ts";
import type { Handled, InboundDeps } from "./inbound-deps.ts";
import { createInvokes } from "./invokes.ts";
import { createMessages } from "./messages.ts";
import { createDeduplicator } from "./deduplicator.ts";
import { welcome } from "./welcome-message.ts";

/** From an activity that has been authenticated to what is answered. */
export type Inbound = (activity: Activity) => Promise<Handled>;

export function createInbound(deps: InboundDeps): Inbound {
  const { conversations, onFault } = deps;
  const invokes = createInvokes(deps);
  const messages = createMessages(deps);
  // Teams says twice that the app was added, in two ways.
  const welcomes = createDeduplicator<Handled>(deps.now, () => false);
  const deduplicator = createDeduplicator<Handled>(deps.now, ({ isSecret }) => isSecret === true);

  const handle = async (activity: Activity): Promise<Handled> => {
    const isOver = isFarewell(activity);
    // A store that cannot be written says so to whoever wants something decided.
    if (isOver) {
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
    if (activity.type === "message") await messages(activity);
    return {};
  };

  return (activity) => {
    const key = keyOf(activity);
    return key === undefined ? handle(activity) : deduplicator.once(key, () => handle(activity));
  };
}

/** We were taken out of a chat or team. */
function isFarewell({ type, action, membersRemoved, recipient }: Activity): boolean {
  if (type === "installationUpdate") return action?.startsWith("remove") === true;
  return type === "conversationUpdate" && membersRemoved?.some(({ id }) => id === recipient?.id) === true;
}

/** The app was added: for a person, in a chat, or in a team. */
function isInstallation({ type, action, membersAdded, recipient }: Activity): boolean {
  if (type === "installationUpdate") return action === "add";
  return type === "conversationUpdate" && membersAdded?.some(({ id }) => id === recipient?.id) === true;
}

/** Whoever can be written to from now on gets what has been waiting for them. */
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

/** The same activity of the same sender. Without an id each is taken as new. */
function keyOf({ type, id, from, conversation }: Activity): string | undefined {
  if (id === undefined || (type !== "invoke" && type !== "message")) return undefined;
  return JSON.stringify([type, id, from?.id, conversation?.id]);
}

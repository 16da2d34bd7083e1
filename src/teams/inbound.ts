import type { Activity } from "./activity.ts";
import type { Handled, InboundParts } from "./inbound-parts.ts";
import { createInvokes } from "./invokes.ts";
import { createMessages } from "./messages.ts";
import { createRepeats } from "./repeats.ts";

/** From an activity that has been authenticated to what is answered. */
export type Inbound = (activity: Activity) => Promise<Handled>;

export function createInbound(parts: InboundParts): Inbound {
  const { conversations, onFault } = parts;
  const invokes = createInvokes(parts);
  const messages = createMessages(parts);
  const repeats = createRepeats<Handled>(parts.now, ({ isSecret }) => isSecret === true);

  const handle = async (activity: Activity): Promise<Handled> => {
    const isOver = isFarewell(activity);
    // A store that cannot be written says so to whoever wants something decided.
    await (isOver ? conversations.leave(activity) : conversations.learn(activity)).catch(onFault);
    if (isOver) return {};
    if (activity.type === "invoke") return invokes(activity);
    if (activity.type === "message") await messages(activity);
    return {};
  };

  return (activity) => {
    const key = keyOf(activity);
    return key === undefined ? handle(activity) : repeats.once(key, () => handle(activity));
  };
}

/** We were taken out of a chat or team. */
function isFarewell({ type, action, membersRemoved, recipient }: Activity): boolean {
  if (type === "installationUpdate") return action?.startsWith("remove") === true;
  return type === "conversationUpdate" && membersRemoved?.some(({ id }) => id === recipient?.id) === true;
}

/** The same activity of the same sender. Without an id each is taken as new. */
function keyOf({ type, id, from, conversation }: Activity): string | undefined {
  if (id === undefined || (type !== "invoke" && type !== "message")) return undefined;
  return JSON.stringify([type, id, from?.id, conversation?.id]);
}

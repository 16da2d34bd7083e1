import type { Card } from "../service/views/card.ts";
import type { Line } from "./line.ts";

/** Why a channel could not be reached, so that its readers can fix it. */
const causes: ReadonlyMap<string, string> = new Map([
  ["channel_not_found", "it does not exist, or the app is not in it"],
  ["not_in_channel", "the app is not in it"],
  ["is_archived", "it is archived"],
  ["is_inactive", "it is archived"],
  ["channel_is_shared", "it is shared with another organisation"],
  ["not_configured", "this installation is not connected to it"],
  ["not_installed", "the app is not installed there"],
  ["conversation_not_found", "it does not exist, or the app is not in it"],
  ["restricted_action", "the app may not post there"],
]);

/** One line per channel that could not be reached. */
export function unreachedChannelLines({
  unreachedChannels,
}: Pick<Card, "unreachedChannels">): readonly Line[] {
  return unreachedChannels.map(({ reference, code }) => [
    `Channel ${reference} was not notified: ${causes.get(code) ?? code}.`,
  ]);
}

/** How many approvers have a message, and how many are being notified: `1 of 3 approvers reached, asking 2 more`. */
export function reachText({ reached, inFlight, asked }: NonNullable<Card["reach"]>): string {
  const reachedText = `${reached} of ${asked} approvers reached`;
  if (inFlight === 0) return reachedText;
  if (reached === 0) return inFlight === 1 ? "Asking 1 person" : `Asking ${inFlight} people`;
  return `${reachedText}, asking ${inFlight} more`;
}

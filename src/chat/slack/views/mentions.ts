import type { KnownBlock } from "@slack/types";
import type { Card } from "../../../service/views/card.ts";
import { limits } from "./text.ts";

/** More in one message call half the workspace. */
const mentionsMax = 50;

/**
 * The line that calls the approvers for whom a channel stands in. Made of Slack's own ids alone, in a block of its own:
 * no other block mentions anybody.
 */
export function withMentions(
  blocks: readonly KnownBlock[],
  { mentions }: Pick<Card, "mentions">,
): KnownBlock[] {
  const called = mentions.flatMap((one) => {
    if (one.kind === "usergroup") return [`<!subteam^${one.id}>`];
    const { surface, user } = one.account;
    return surface === "slack" && /^[UW][A-Z0-9]+$/.test(user) ? [`<@${user}>`] : [];
  });
  if (called.length === 0 || blocks.length >= limits.blocks) return [...blocks];
  const text = `Please decide: ${called.slice(0, mentionsMax).join(" ")}`;
  return [...blocks, { type: "section", text: { type: "mrkdwn", text, verbatim: true } }];
}

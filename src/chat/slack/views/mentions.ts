import type { KnownBlock } from "@slack/types";
import type { Card } from "../../../service/views/card.ts";
import { limits } from "./text.ts";

/** More mentions in one message would notify too many people. */
const mentionsMax = 50;

/**
 * Adds a line that mentions the approvers who get the channel's message in place of their own. It contains only Slack's
 * ids and is a block of its own; no other block mentions anybody.
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

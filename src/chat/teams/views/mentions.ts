import type { Card } from "../../../service/views/card.ts";
import type { AdaptiveCard, MentionEntity } from "./adaptive-card.ts";

/** More mentions in one message would notify too many people and make the card too large. */
const mentionsMax = 20;

/**
 * Adds a line that mentions the approvers who get the channel's message in place of their own. Teams replaces the
 * numbers by their names, so that no name is read as Markdown.
 */
export function withMentions(card: AdaptiveCard, { mentions }: Pick<Card, "mentions">): AdaptiveCard {
  const entities = mentions
    .flatMap((one) => (one.kind === "account" && one.account.surface === "teams" ? [one] : []))
    .slice(0, mentionsMax)
    .map(({ account, name }, index): MentionEntity => ({
      type: "mention",
      text: `<at>${index + 1}</at>`,
      mentioned: { id: account.user, name },
    }));
  if (entities.length === 0) return card;
  const text = `Please decide: ${entities.map((one) => one.text).join(", ")}`;
  return {
    ...card,
    body: [...card.body, { type: "TextBlock", text, wrap: true }],
    msteams: { width: "full", entities },
  };
}

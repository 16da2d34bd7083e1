import type { Card } from "../../../service/views/card.ts";
import type { AdaptiveCard, MentionEntity } from "./adaptive-card.ts";

/** More in one message call half the organisation, and make the card large. */
const mentionsMax = 20;

/**
 * The card with a line that calls the approvers for whom a channel stands in. Teams puts their names in place of the
 * numbers, so that no name is read as Markdown.
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

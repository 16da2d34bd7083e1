import type { AdaptiveCard } from "../views/adaptive-card.ts";
import type { OutgoingActivity } from "../connection/bot-connector.ts";
import { cardContentType } from "../views/adaptive-card.ts";

/** A message with one card. Notifications show the summary. */
export function cardActivity(card: AdaptiveCard, isNotifying = false): OutgoingActivity {
  return {
    type: "message",
    summary: card.fallbackText,
    attachments: [{ contentType: cardContentType, content: card }],
    // Without an alert Teams may not notify anybody until the chat is opened.
    ...(isNotifying && { channelData: { notification: { alert: true } } }),
  };
}

export function textActivity(text: string): OutgoingActivity {
  return { type: "message", textFormat: "plain", text, summary: text };
}

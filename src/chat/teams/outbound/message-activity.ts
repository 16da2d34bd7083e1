import type { AdaptiveCard } from "../views/adaptive-card.ts";
import type { OutgoingActivity } from "../connection/bot-connector.ts";
import { cardContentType } from "../views/adaptive-card.ts";

/** A message that is one card. The summary is what notifications show. */
export function cardActivity(card: AdaptiveCard, isNotifying = false): OutgoingActivity {
  return {
    type: "message",
    summary: card.fallbackText,
    attachments: [{ contentType: cardContentType, content: card }],
    // Without it Teams may show nothing until the chat is opened.
    ...(isNotifying && { channelData: { notification: { alert: true } } }),
  };
}

/** A sentence of ours. */
export function textActivity(text: string): OutgoingActivity {
  return { type: "message", textFormat: "plain", text, summary: text };
}

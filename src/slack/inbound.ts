import type { InboundParts } from "./answering.ts";
import { listenToCommand } from "./commands.ts";
import { listenToForms } from "./forms.ts";
import { listenToHome } from "./home.ts";
import { listenToPresses } from "./presses.ts";

/** Everything Slack can send us: parsed strictly, one call of the conversation each, and its answer. */
export function listen(parts: InboundParts): void {
  listenToCommand(parts);
  listenToPresses(parts);
  listenToForms(parts);
  listenToHome(parts);
}

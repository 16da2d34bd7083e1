import type { InboundDeps } from "./resolve-sender.ts";
import { listenToCommand } from "./slash-command.ts";
import { listenToForms } from "./dialog-submissions.ts";
import { listenToHome } from "./app-home.ts";
import { listenToPresses } from "./block-actions.ts";

/** Everything Slack can send us: parsed strictly, one call of the conversation each, and its answer. */
export function listen(deps: InboundDeps): void {
  listenToCommand(deps);
  listenToPresses(deps);
  listenToForms(deps);
  listenToHome(deps);
}

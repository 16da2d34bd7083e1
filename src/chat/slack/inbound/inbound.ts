import type { InboundDeps } from "./inbound-deps.ts";
import { listenToTypedCommands } from "./typed-commands.ts";
import { listenToDialogs } from "./dialog-submissions.ts";
import { listenToHome } from "./app-home.ts";
import { listenToCardActions } from "./card-actions.ts";

/** Registers a listener for everything Slack can send us. */
export function listen(deps: InboundDeps): void {
  listenToTypedCommands(deps);
  listenToCardActions(deps);
  listenToDialogs(deps);
  listenToHome(deps);
}

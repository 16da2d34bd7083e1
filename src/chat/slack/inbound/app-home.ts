import { isRefusal } from "../../../core/values/refusals.ts";
import type { Caller } from "../../../service/ports/caller.ts";
import { replyTo, senderOf, type InboundDeps } from "./resolve-sender.ts";
import type { Sender } from "../people/people.ts";
import { replyView } from "../views/replies.ts";
import { homeView } from "../views/home-view.ts";
import { shortcut } from "./payloads.ts";

/** The shortcut that opens the request form, and the app's home. */
export function listenToHome(deps: InboundDeps): void {
  const { app, chat, client } = deps;
  app.shortcut("request", async ({ ack, body }) => {
    await ack();
    const parsed = shortcut.safeParse(body);
    if (!parsed.success) return;
    const { trigger_id: triggerId } = parsed.data;
    const sender = senderOf(parsed.data);
    const { reply } = await replyTo(deps, sender, "request", async (caller) => ({
      kind: "dialog",
      dialog: await chat.form(caller),
    }));
    await client.views.open({ trigger_id: triggerId, view: replyView(reply) });
  });
  app.event("app_home_opened", async ({ event, body }) => {
    if (event.tab !== "home") return;
    deps.openHomes.opened(event.user, event.channel);
    await showHome(deps, { userId: event.user, teamId: body.team_id, enterpriseId: undefined });
  });
}

/** Shows somebody their home, or how to be linked. */
export async function showHome(
  deps: Pick<InboundDeps, "known" | "client" | "chat">,
  sender: Sender,
): Promise<void> {
  const known = await deps.known(sender, "cached");
  if ("caller" in known) return publishHome(deps, sender.userId, known.caller);
  const buttons = known.unlinkedUser === undefined ? [] : (["ask_for_link"] as const);
  const view = homeView({ lead: [[known.refusal.detail]], sections: [], buttons, nextPage: null });
  await deps.client.views.publish({ user_id: sender.userId, view });
}

/** Shows the person their home as it is now. */
export async function publishHome(
  { chat, client }: Pick<InboundDeps, "chat" | "client">,
  user: string,
  caller: Caller,
): Promise<void> {
  const home = await chat.home(caller);
  const view = isRefusal(home)
    ? homeView({ lead: [[home.detail]], sections: [], buttons: [], nextPage: null })
    : homeView(home);
  await client.views.publish({ user_id: user, view });
}

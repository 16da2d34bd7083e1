import { isRefusal } from "../../../core/values/refusals.ts";
import type { Caller } from "../../../service/ports/caller.ts";
import type { InboundDeps } from "./inbound-deps.ts";
import { replyTo, senderIdsOf } from "./resolve-sender.ts";
import type { SenderIds } from "../people/people.ts";
import { replyView } from "../views/replies.ts";
import { homeView } from "../views/home-view.ts";
import { shortcut } from "./payloads.ts";

/** The shortcut that opens the request form, and the App Home. */
export function listenToHome(deps: InboundDeps): void {
  const { app, chat, client } = deps;
  app.shortcut("request", async ({ ack, body }) => {
    await ack();
    const parsed = shortcut.safeParse(body);
    if (!parsed.success) return;
    const { trigger_id: triggerId } = parsed.data;
    const ids = senderIdsOf(parsed.data);
    const { reply } = await replyTo(deps, ids, "request", async (caller) => ({
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

/** Publishes a person's App Home, or what an unknown person can do. */
export async function showHome(
  deps: Pick<InboundDeps, "people" | "client" | "chat">,
  ids: SenderIds,
): Promise<void> {
  const sender = await deps.people.senderOf(ids, "cached");
  if (sender.kind === "known") return publishHome(deps, ids.userId, sender.caller);
  const buttons = sender.kind === "unlinked" ? (["ask_for_link"] as const) : [];
  const view = homeView({ lead: [[sender.refusal.detail]], sections: [], buttons, nextPage: null });
  await deps.client.views.publish({ user_id: ids.userId, view });
}

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

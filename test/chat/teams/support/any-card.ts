import { introduce, type TeamsHarness } from "./teams-harness.ts";

/** A card of dev's request, and ann's address. */
export async function anyCard(h: TeamsHarness) {
  await introduce(h, "ann");
  const asked = await h.service.ask("dev");
  const id = "request" in asked ? asked.request.id : "";
  const card = await h.service.services.cards.cardFor(id, "channel", null);
  const ann = (await h.service.caller("ann")).identity;
  const address = await h.teams.messenger.addressOf(ann);
  if (card === undefined || address === undefined) throw new Error("no card or address");
  return { card, address };
}

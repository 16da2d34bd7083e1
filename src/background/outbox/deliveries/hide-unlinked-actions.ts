import type { Addressee } from "../../../core/effects/effects.ts";
import { accountIn } from "../../../core/values/identity.ts";
import type { Card } from "../../../service/views/card.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";

/**
 * Removes the actions when the account at this address is no longer linked to the reader. When the platform cannot say
 * at the moment which address the reader has, the actions stay.
 */
export async function hideUnlinkedActions(context: ServiceContext, to: Addressee, card: Card): Promise<Card> {
  const { surface, address, readerId } = to;
  if (readerId === null || card.actions.length === 0 || surface === "email") return card;
  const person = (await context.store.identity(readerId))?.value;
  if (person === undefined) return card;
  const current = await context.surfaces.get(surface)?.addressOf(person);
  const account = accountIn(person.links, surface) ?? accountIn(person.chatLinks ?? {}, surface);
  const isTheirs = current === address || (current === undefined && account !== undefined);
  return isTheirs ? card : { ...card, actions: [] };
}

import type { Logger } from "pino";
import type { Settings } from "../config/environment.ts";
import type { Instant } from "../core/values/ids.ts";
import { createAddressBook } from "../service/people/address-book.ts";
import { createSurfaces } from "../service/messaging/surfaces.ts";
import type { Store } from "../service/ports/store.ts";
import { createChatSurfaces } from "./chat-surfaces.ts";

/** Creates every surface that delivers messages: the configured chat platforms and e-mail. */
export async function createMessageSurfaces(
  settings: Settings,
  store: Store,
  now: () => Instant,
  log: Logger,
) {
  const surfaces = createSurfaces();
  const chatSurfaces = await createChatSurfaces(
    settings,
    { now, addresses: (surface) => createAddressBook(store, surface) },
    log,
  );
  for (const { messenger } of chatSurfaces.all) surfaces.add(messenger);
  if (settings.email !== undefined) {
    const { createEmail } = await import("../notify/email/email-messenger.ts");
    const { chatPlatforms } = await import("../notify/email/ways-to-act.ts");
    const chats = chatPlatforms.filter((platform) => settings[platform] !== undefined);
    surfaces.add(createEmail(settings.email, log, { chats }));
  }
  return { surfaces, chatSurfaces };
}

import type { Effect } from "../../../core/effects/effects.ts";
import { accountIn, isActive, linkName } from "../../../core/values/identity.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Runner } from "../runner.ts";
import type { NoticeLog } from "./notice-log.ts";

/** Notifies a person, on every surface they have, that an account was linked to them; then of what waits for them. */
export function createLinkAnnouncer(context: ServiceContext, log: NoticeLog): Runner<"announce_link"> {
  const { store, surfaces, runtime } = context;
  return {
    async run({ identityId, account, byId }) {
      log.info({ notice: "linked", account, people: [identityId] }, "notice");
      const person = (await store.identity(identityId))?.value;
      const linked = person === undefined ? undefined : accountIn(person.links, account.surface);
      if (person === undefined || !isActive(person) || linked === undefined) return undefined;
      if (linkName(linked) !== linkName(account)) return undefined;
      const about = { topic: "account_linked", identityId, account, byId } as const;
      const noteEffects = (await surfaces.addressesOf(person)).map(({ messenger, address }): Effect => ({
        kind: "send_note",
        surface: messenger.surface,
        address,
        readerId: identityId,
        about,
      }));
      const effects: readonly Effect[] = [...noteEffects, { kind: "announce_waiting", identityId, after: 0 }];
      const now = runtime.now();
      return { effects: effects.map((effect) => newEffect(effect, { now, runtime })) };
    },
  };
}

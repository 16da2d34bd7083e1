import type { Effect } from "../../../core/effects/effects.ts";
import { isActive } from "../../../core/values/identity.ts";
import { administratorsOf } from "../../../service/people/administrators.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import type { NoticeLog } from "./notice-log.ts";
import type { Runner } from "../runner.ts";

/** Notifies administrators, on every surface they have, of a problem with the service itself. */
export function createAdminAlerts(context: ServiceContext, log: NoticeLog): Runner<"alert_admins"> {
  const { surfaces, runtime } = context;
  return {
    async run({ alert }) {
      const people = (await administratorsOf(context)).filter(isActive);
      log.warn({ notice: alert.name, people: people.map(({ id }) => id) }, "notice");
      const effects: Effect[] = [];
      for (const person of people) {
        for (const { messenger, address } of await surfaces.addressesOf(person)) {
          const { surface } = messenger;
          const about = { topic: "alert", alert } as const;
          effects.push({ kind: "send_note", surface, address, readerId: person.id, about });
        }
      }
      const now = runtime.now();
      return { effects: effects.map((effect) => newEffect(effect, { now, runtime })) };
    },
  };
}

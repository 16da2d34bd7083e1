import { recordOnly } from "../service/step.ts";
import { newEffect } from "../service/step-of.ts";
import type { House } from "./house.ts";

/** Notifies administrators of what holds new access back since the start. */
export async function alertAdmins({ clock, context }: Pick<House, "clock" | "context">): Promise<void> {
  if (!clock.isBehindSinceStart()) return;
  const { store, surroundings } = context;
  const now = surroundings.now();
  const alert = { name: "clock_behind", lastCommitAt: now, behindMs: clock.behindMs() } as const;
  const effect = newEffect({ kind: "alert_admins", alert }, { now, surroundings });
  await store.commit({ ...recordOnly([]), effects: [effect] });
}

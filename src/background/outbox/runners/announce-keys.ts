import type { Effect } from "../../../core/effects/effects.ts";
import type { IdentityId, KeyId } from "../../../core/values/ids.ts";
import { isActive } from "../../../core/values/identity.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import type { NoticeLog } from "./notice-log.ts";
import type { EffectOutcome, Runner } from "../runner.ts";

/** Notifies a person, on every surface they have, that a key was made in their name. */
export function createKeyAnnouncer(context: ServiceContext, log: NoticeLog): Runner<"announce_key"> {
  return {
    async run({ keyId, identityId }) {
      log.info({ notice: "key_made", key: keyId, people: [identityId] }, "notice");
      return notifyOwner(context, identityId, { topic: "key", keyId });
    },
  };
}

/** Notifies a key's owner once, on every surface they have, that it expires soon, unless it has ended already. */
export function createKeyExpiryAnnouncer(
  context: ServiceContext,
  log: NoticeLog,
): Runner<"announce_key_expiry"> {
  return {
    async run({ keyId, identityId }) {
      if (!(await isActiveKey(context, keyId))) return undefined;
      const owner = await context.store.identity(identityId);
      if (owner === undefined || !isActive(owner.value)) return undefined;
      log.info({ notice: "key_expiring", key: keyId, people: [identityId] }, "notice");
      return notifyOwner(context, identityId, { topic: "key", keyId, notice: "key_expiring" });
    },
  };
}

async function isActiveKey({ store, runtime }: ServiceContext, id: KeyId): Promise<boolean> {
  const key = (await store.key(id))?.value;
  if (key === undefined || key.deletedAt !== null) return false;
  return key.expiresAt === null || runtime.now() < key.expiresAt;
}

async function notifyOwner(
  { store, surfaces, runtime }: ServiceContext,
  identityId: IdentityId,
  about: Extract<Effect, { kind: "send_note" }>["about"],
): Promise<EffectOutcome | undefined> {
  const found = await store.identity(identityId);
  if (found === undefined || found.value.kind !== "HUMAN") return undefined;
  const addresses = await surfaces.addressesOf(found.value);
  const effects = addresses.map(({ messenger, address }): Effect => ({
    kind: "send_note",
    surface: messenger.surface,
    address,
    readerId: identityId,
    about,
  }));
  const now = runtime.now();
  return { effects: effects.map((effect) => newEffect(effect, { now, runtime })) };
}

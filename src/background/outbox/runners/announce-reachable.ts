import type { AccessRequest } from "../../../core/access/access-request.ts";
import type { Effect } from "../../../core/effects/effects.ts";
import type { IdentityId } from "../../../core/values/ids.ts";
import { accountIn, isActive, linkName } from "../../../core/values/identity.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import type { NoticeLog } from "./announce-request.ts";
import type { Runner } from "../runner.ts";

/** Waiting requests read in one go. */
const batchMax = 50;

/** Gives somebody who can be reached in chat from now on the requests that have been waiting for them. */
export function createWaitingAnnouncer(context: ServiceContext): Runner<"announce_waiting"> {
  const { store, runtime } = context;
  return {
    async run({ identityId, after }) {
      const batch = await store.waitingRequests(after, batchMax);
      const effects: Effect[] = [];
      for (const { request } of batch) {
        if (!(await isWaitingFor(context, request, identityId))) continue;
        const notices = [{ notice: "waiting", people: [identityId] }] as const;
        effects.push({ kind: "announce", requestId: request.id, notices });
      }
      const last = batch.at(-1);
      if (batch.length === batchMax && last !== undefined) {
        effects.push({ kind: "announce_waiting", identityId, after: last.ord });
      }
      const now = runtime.now();
      return { effects: effects.map((effect) => newEffect(effect, { now, runtime })) };
    },
  };
}

/** Whether they were asked and have no card of it in any chat, and none is on its way. */
async function isWaitingFor(
  { store, surfaces }: ServiceContext,
  request: AccessRequest,
  identityId: IdentityId,
): Promise<boolean> {
  const isAsked =
    request.asked.some((one) => one.identityId === identityId) &&
    request.votes.every((vote) => vote.by !== identityId);
  if (!isAsked) return false;
  const deliveries = await store.deliveries([request.id]);
  return deliveries
    .filter(
      (delivery) =>
        delivery.notice === null && delivery.readerId === identityId && delivery.audience === "approver",
    )
    .every(({ surface, state }) =>
      surface === "nowhere"
        ? state !== "NOT_NEEDED"
        : surfaces.get(surface)?.keepsCards !== true || state === "FAILED" || state === "UNREACHABLE",
    );
}

/** Tells a person, on every surface they have, that an account was linked to them; and what has been waiting for them. */
export function createLinkMadeAnnouncer(context: ServiceContext, log: NoticeLog): Runner<"announce_link"> {
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

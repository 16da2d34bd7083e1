import type { AccessRequest } from "../../../core/access/access-request.ts";
import type { AuditEntry } from "../../../core/audit/audit-record.ts";
import { systemActor } from "../../../core/access/access-case.ts";
import type { Addressee, Effect } from "../../../core/effects/effects.ts";
import type { IdentityId } from "../../../core/values/ids.ts";
import {
  hearings,
  type Audience,
  type Hearing,
  type News,
  type NoticeKind,
} from "../../../core/effects/notices.ts";
import { isActive, type Identity } from "../../../core/values/identity.ts";
import { plus } from "../../../core/values/time.ts";
import { loadPeople, type ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Copy, NewEffect, Write } from "../../../service/ports/store.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import type { Place } from "../../../service/messaging/surfaces.ts";
import {
  channelCoverage,
  directMessagesMax,
  noCoverage,
  recordedCoverage,
  type ChannelCoverage,
} from "./channel-coverage.ts";
import { createPlannedCopies, type PlannedCopies } from "./planned-deliveries.ts";
import { lookAgainMs } from "./check-delivery.ts";
import { newNote, noteUpdate } from "./note-deliveries.ts";
import type { Runner } from "../runner.ts";

export interface NoticeLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

const loud: ReadonlySet<NoticeKind> = new Set([
  "break_glass_used",
  "review_overdue",
  "break_glass_reviewed",
  "target_overdue",
]);

/**
 * Turns what has changed about a request into messages: who hears each piece of news where, by the table of hearings,
 * and every copy of its card that is out, to be made true. The log hears of all news besides: it is always there.
 */
export function createAnnouncing(context: ServiceContext, log: NoticeLog): Runner<"announce"> {
  const { store, surfaces } = context;
  return {
    async run({ requestId, news }) {
      const found = await store.request(requestId);
      if (found === undefined) return undefined;
      const request = found.request.value;
      for (const one of news) logNews(log, request, one);
      const audit = news.flatMap((one) => unheardChannels(context, request, one));
      if (surfaces.configured.size === 0) return { audit };
      const known = await store.copies([requestId]);
      const plan = createPlan(context, request, known);
      for (const one of news) for (const hearing of hearings[one.notice]) await plan.hear(one, hearing);
      return { ...plan.outcome(), audit };
    },
  };
}

function logNews(
  log: NoticeLog,
  { id, requirement, breakGlass }: AccessRequest,
  { notice, people }: News,
): void {
  const channels = breakGlass === undefined ? requirement.channels : breakGlass.notify;
  const facts = { notice, request: id, people, channels };
  if (loud.has(notice)) log.warn(facts, "notice");
  else log.info(facts, "notice");
}

/** What was to be said in a channel that this installation does not have is lost, and that goes on record. */
function unheardChannels(
  { surfaces, surroundings }: ServiceContext,
  { id, requirement, breakGlass }: AccessRequest,
  { notice }: News,
): readonly AuditEntry[] {
  const isAlert = breakGlass !== undefined && hearings[notice].some(({ who }) => who === "alerted");
  // Once for each request: what follows goes to those who could be told.
  const isFirst = breakGlass === undefined && notice === "submitted";
  return (isAlert ? breakGlass.notify : isFirst ? requirement.channels : [])
    .filter((channel) => surfaces.placeOfChannel(channel) === undefined)
    .map((channel) => ({
      at: surroundings.now(),
      action: "notification.failed",
      actor: systemActor,
      request: id,
      data: {
        surface: channel.slice(0, channel.indexOf(":")),
        channel,
        what: notice,
        code: "not_configured",
      },
    }));
}

/** Somebody who is to hear something, and every place where they can. */
interface Listener {
  readonly readerId: IdentityId | null;
  readonly audience: Audience;
  readonly places: readonly Place[];
}

interface Plan {
  hear(news: News, hearing: Hearing): Promise<void>;
  outcome(): { readonly writes: readonly Write[]; readonly effects: readonly NewEffect[] };
}

function createPlan(context: ServiceContext, request: AccessRequest, known: readonly Copy[]): Plan {
  const now = context.surroundings.now();
  const copies = createPlannedCopies(context, request.id, known);
  const notes: Copy[] = [];
  /** By what they say to whom: a channel may hear the same for itself and for those it stands in for. */
  const tells = new Map<string, Effect>();
  const lookAgain: Effect = { kind: "look_again", requestId: request.id, lost: null };
  let isAsking = false;

  const wanted = ({ who }: Hearing, reader: Parameters<PlannedCopies["ask"]>[0]): Copy | undefined =>
    who === "people" || who === "new_reviewers" ? copies.ask(reader) : copies.want(reader, "QUEUED");

  const tell = ({ notice }: News, hearing: Hearing, { readerId, audience, places }: Listener): void => {
    for (const { messenger, address } of places) {
      const { surface } = messenger;
      const to: Addressee = { surface, address, readerId };
      if (hearing.isKnownOnly === true && !copies.isKnown(to, audience)) continue;
      const isShown = messenger.keepsCards && hearing.chat === "card";
      const isLetter = !messenger.keepsCards && hearing.letter;
      const reader = { ...to, audience };
      const before = isShown || isLetter ? wanted(hearing, reader) : undefined;
      const isNote = messenger.keepsCards && hearing.chat === "note";
      const hasCard = isShown && before?.state === "SENT";
      if (!isLetter && !isNote && !(hasCard && hearing.isRepeated === true)) continue;
      const about = { topic: "request", requestId: request.id, notice, audience } as const;
      const key = JSON.stringify([to, about]);
      if (tells.has(key)) continue;
      const note = newNote(context, about, to);
      if (messenger.keepsCards) notes.push(note);
      tells.set(key, { kind: "tell", ...to, about, ...(messenger.keepsCards && { copyId: note.id }) });
    }
    if (places.length === 0 && readerId !== null && hearing.isKnownOnly !== true) {
      copies.want({ surface: "nowhere", address: readerId, audience, readerId }, "UNREACHABLE");
    }
  };

  /** Tells somebody where no channel stands in for them, and keeps in mind where one does. */
  const cover = (news: News, hearing: Hearing, one: Listener, covered: readonly Place[]): void => {
    const { readerId, audience, places } = one;
    if (covered.length === 0 || readerId === null) return tell(news, hearing, one);
    copies.want({ surface: "nowhere", address: readerId, audience, readerId }, "NOT_NEEDED");
    const others = places.filter((place) => !covered.includes(place));
    if (others.length > 0) tell(news, hearing, { ...one, places: others });
  };

  return {
    async hear(news, hearing) {
      isAsking ||= hearing.who === "people" && hearing.chat === "card" && news.people.length > 0;
      const listeners = await listenersOf(context, request, news, hearing);
      const cards = known.filter((one) => one.notice === null);
      const coverage = await coverageFor(context, request, cards, hearing, listeners);
      const covered = listeners.map((one) => coverage.coveredOf(one));
      for (const [index, one] of listeners.entries()) cover(news, hearing, one, covered[index] ?? []);
      if (covered.every((places) => places.length === 0)) return;
      // The card is in the channel already, or is posted with this: only what comes later needs a note.
      for (const place of coverage.channels) {
        const { messenger, address } = place;
        const isNew = !known.some((one) => one.readerId === null && one.address === address);
        if (isNew && hearing.chat === "card") continue;
        const reader = { readerId: null, audience: "channel", places: [{ messenger, address }] } as const;
        tell(news, { ...hearing, chat: "note" }, reader);
      }
    },
    outcome() {
      const cards = copies.all().flatMap((copy) => showOf(context, request.id, copy));
      const withContext = { now, surroundings: context.surroundings };
      return {
        writes: [...copies.writes(), ...notes.map((value) => ({ kind: "copyWanted", value }) as const)],
        // Cards first, so that a note finds the card it belongs below.
        effects: [
          ...[...cards, ...tells.values()].map((effect) => newEffect(effect, withContext)),
          ...(isAsking ? [{ ...newEffect(lookAgain, withContext), dueAt: plus(now, lookAgainMs) }] : []),
        ],
      };
    },
  };
}

/** What makes a copy true, where it can be rewritten. */
export function showOf(
  { surfaces }: ServiceContext,
  requestId: AccessRequest["id"],
  copy: Copy,
): readonly Effect[] {
  if (copy.notice !== null) return noteUpdate(copy, copy.notice, requestId);
  const { surface, address, audience, readerId, state } = copy;
  const isCard = surface !== "nowhere" && surfaces.get(surface)?.keepsCards === true;
  // What was given up is not tried again at every change; who is asked anew has a copy of their own by then.
  return isCard && (state === "QUEUED" || state === "SENT")
    ? [{ kind: "show", requestId, surface, address, audience, readerId }]
    : [];
}

/** Many approvers are asked in the policy's channel, and what follows for those who were is said there too. */
async function coverageFor(
  context: ServiceContext,
  request: AccessRequest,
  known: readonly Copy[],
  { who, chat }: Hearing,
  listeners: readonly Listener[],
): Promise<ChannelCoverage> {
  if (who !== "people" || chat === "quiet") return noCoverage;
  if (chat === "note") return recordedCoverage(context, request, known);
  return listeners.length > directMessagesMax ? channelCoverage(context, request, known) : noCoverage;
}

async function listenersOf(
  context: ServiceContext,
  request: AccessRequest,
  news: News,
  { who }: Hearing,
): Promise<readonly Listener[]> {
  const { breakGlass, requirement } = request;
  switch (who) {
    case "people":
      return peopleListening(context, request, news.people, "approver", true);
    case "requester":
      return peopleListening(
        context,
        request,
        [request.subjectId, request.requestedById],
        "requester",
        false,
      );
    case "channels":
      return channelsListening(context, requirement.channels, "channel");
    case "alerted":
      return channelsListening(context, breakGlass?.notify ?? [], "alert");
    case "reviewers": {
      const by = breakGlass?.review.by ?? [];
      const { directory } = await loadPeople(context, [request.subjectId], by);
      const ids = by.flatMap((one) => directory.people(one, request.subjectId).map((person) => person.id));
      const reviewers = ids.filter((id) => id !== request.subjectId);
      return peopleListening(context, request, reviewers, "reviewer", true);
    }
    case "new_reviewers":
      return peopleListening(context, request, news.people, "reviewer", true);
    case "admins": {
      const { admin } = (await context.rulebook()).book.rules.chatRoles;
      const { directory } = await loadPeople(context, [], admin);
      const ids = admin.flatMap((one) => directory.people(one, request.subjectId).map((person) => person.id));
      return peopleListening(context, request, ids, "channel", true);
    }
  }
}

/**
 * Each person once, on the surfaces the request names. `isNeeded`: when they cannot be told there, on any other, for a
 * decision must not be lost because of what a requester chose. Programs are told nothing.
 */
async function peopleListening(
  context: ServiceContext,
  request: AccessRequest,
  ids: readonly IdentityId[],
  audience: Audience,
  isNeeded: boolean,
): Promise<readonly Listener[]> {
  const { identities } = await loadPeople(context, [...new Set(ids)], []);
  const people = [...new Set(ids)].flatMap((id): readonly Identity[] => {
    const person = identities.get(id)?.value;
    return person === undefined || person.kind !== "HUMAN" || !isActive(person) ? [] : [person];
  });
  return Promise.all(
    people.map(async (person) => {
      const all = await context.surfaces.placesOf(person);
      const named = all.filter((place) => request.notifyChannels.includes(place.messenger.surface));
      const places = named.length === 0 && isNeeded ? all : named;
      return { readerId: person.id, audience, places };
    }),
  );
}

/** A channel hears of everything, whatever the requester chose: it is the policy's word. */
async function channelsListening(
  { surfaces }: ServiceContext,
  references: readonly string[],
  audience: Audience,
): Promise<readonly Listener[]> {
  return [...new Set(references)].flatMap((reference) => {
    const place = surfaces.placeOfChannel(reference);
    return place === undefined ? [] : [{ readerId: null, audience, places: [place] }];
  });
}

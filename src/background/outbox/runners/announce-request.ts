import { type Recipient, recipientsOf } from "./recipients.ts";
import type { AccessRequest } from "../../../core/access/access-request.ts";
import type { AuditEntry } from "../../../core/audit/audit-record.ts";
import { systemActor } from "../../../core/access/access-case.ts";
import type { Addressee, Effect } from "../../../core/effects/effects.ts";

import { noticeRules, type NoticeRule, type Notice, type NoticeKind } from "../../../core/effects/notices.ts";

import { plus } from "../../../core/values/time.ts";
import { type ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Delivery, NewEffect, Write } from "../../../service/ports/store.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import type { DeliveryAddress } from "../../../service/messaging/surfaces.ts";
import {
  channelCoverage,
  directMessagesMax,
  noCoverage,
  recordedCoverage,
  type ChannelCoverage,
} from "./channel-coverage.ts";
import { createPlannedDeliveries, type PlannedDeliveries } from "./planned-deliveries.ts";
import { deliveryCheckMs } from "./check-delivery.ts";
import { newNote, noteUpdate } from "./note-deliveries.ts";
import type { Runner } from "../runner.ts";

export interface NoticeLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

const alertKinds: ReadonlySet<NoticeKind> = new Set([
  "break_glass_used",
  "review_overdue",
  "break_glass_reviewed",
  "target_overdue",
]);

/**
 * Turns what has changed about a request into messages: who hears each piece of news where, by the table of hearings,
 * and every copy of its card that is out, to be made true. The log hears of all news besides: it is always there.
 */
export function createAnnouncer(context: ServiceContext, log: NoticeLog): Runner<"announce"> {
  const { store, surfaces } = context;
  return {
    async run({ requestId, notices }) {
      const found = await store.request(requestId);
      if (found === undefined) return undefined;
      const request = found.request.value;
      for (const one of notices) logNotice(log, request, one);
      const audit = notices.flatMap((one) => unconfiguredChannels(context, request, one));
      if (surfaces.configured.size === 0) return { audit };
      const known = await store.deliveries([requestId]);
      const plan = createPlan(context, request, known);
      for (const one of notices)
        for (const rule of noticeRules[one.notice]) await plan.addRecipients(one, rule);
      return { ...plan.outcome(), audit };
    },
  };
}

function logNotice(
  log: NoticeLog,
  { id, requirement, breakGlass }: AccessRequest,
  { notice, people }: Notice,
): void {
  const channels = breakGlass === undefined ? requirement.channels : breakGlass.notify;
  const facts = { notice, request: id, people, channels };
  if (alertKinds.has(notice)) log.warn(facts, "notice");
  else log.info(facts, "notice");
}

/** What was to be said in a channel that this installation does not have is lost, and that goes on record. */
function unconfiguredChannels(
  { surfaces, runtime }: ServiceContext,
  { id, requirement, breakGlass }: AccessRequest,
  { notice }: Notice,
): readonly AuditEntry[] {
  const isAlert = breakGlass !== undefined && noticeRules[notice].some(({ to }) => to === "alerted");
  // Once for each request: what follows goes to those who could be told.
  const isFirst = breakGlass === undefined && notice === "submitted";
  return (isAlert ? breakGlass.notify : isFirst ? requirement.channels : [])
    .filter((channel) => surfaces.addressOfChannel(channel) === undefined)
    .map((channel) => ({
      at: runtime.now(),
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

interface Plan {
  addRecipients(notice: Notice, rule: NoticeRule): Promise<void>;
  outcome(): { readonly writes: readonly Write[]; readonly effects: readonly NewEffect[] };
}

function createPlan(context: ServiceContext, request: AccessRequest, known: readonly Delivery[]): Plan {
  const deliveries = createPlannedDeliveries(context, request.id, known);
  const notes: Delivery[] = [];
  /** By what they say to whom: a channel may hear the same for itself and for those it stands in for. */
  const sendEffects = new Map<string, Effect>();
  let isAsking = false;

  const addNotes = (
    { notice }: Notice,
    rule: NoticeRule,
    { readerId, audience, addresses }: Recipient,
  ): void => {
    for (const { messenger, address } of addresses) {
      const { surface } = messenger;
      const to: Addressee = { surface, address, readerId };
      if (rule.isKnownOnly === true && !deliveries.isKnown(to, audience)) continue;
      const isShown = messenger.keepsCards && rule.chat === "card";
      const isEmail = !messenger.keepsCards && rule.byEmail;
      const reader = { ...to, audience };
      const before = isShown || isEmail ? wantDelivery(deliveries, rule, reader) : undefined;
      const isNote = messenger.keepsCards && rule.chat === "note";
      const hasCard = isShown && before?.state === "SENT";
      if (!isEmail && !isNote && !(hasCard && rule.isRepeated === true)) continue;
      const about = { topic: "request", requestId: request.id, notice, audience } as const;
      const key = JSON.stringify([to, about]);
      if (sendEffects.has(key)) continue;
      const note = newNote(context, about, to);
      if (messenger.keepsCards) notes.push(note);
      const recorded = messenger.keepsCards && { deliveryId: note.id };
      sendEffects.set(key, { kind: "send_note", ...to, about, ...recorded });
    }
    if (addresses.length === 0 && readerId !== null && rule.isKnownOnly !== true) {
      deliveries.want({ surface: "nowhere", address: readerId, audience, readerId }, "UNREACHABLE");
    }
  };

  /** Tells somebody where no channel stands in for them, and keeps in mind where one does. */
  const cover = (
    notice: Notice,
    rule: NoticeRule,
    one: Recipient,
    covered: readonly DeliveryAddress[],
  ): void => {
    const { readerId, audience, addresses } = one;
    if (covered.length === 0 || readerId === null) return addNotes(notice, rule, one);
    deliveries.want({ surface: "nowhere", address: readerId, audience, readerId }, "NOT_NEEDED");
    const others = addresses.filter((deliveryAddress) => !covered.includes(deliveryAddress));
    if (others.length > 0) addNotes(notice, rule, { ...one, addresses: others });
  };

  return {
    async addRecipients(notice, rule) {
      isAsking ||= rule.to === "people" && rule.chat === "card" && notice.people.length > 0;
      const recipients = await recipientsOf(context, request, notice, rule);
      const cards = known.filter((one) => one.notice === null);
      const coverage = await coverageFor(context, request, cards, rule, recipients);
      const covered = recipients.map((one) => coverage.coveredOf(one));
      for (const [index, one] of recipients.entries()) cover(notice, rule, one, covered[index] ?? []);
      if (covered.every((addresses) => addresses.length === 0)) return;
      for (const reader of channelsWithCard(coverage.channels, known, rule)) {
        addNotes(notice, { ...rule, chat: "note" }, reader);
      }
    },
    outcome() {
      const cards = deliveries.all().flatMap((delivery) => deliveryUpdate(context, request.id, delivery));
      return {
        writes: [...deliveries.writes(), ...notes.map((value): Write => ({ kind: "deliveryAdded", value }))],
        // Cards first, so that a note finds the card it belongs below.
        effects: toNewEffects(context, [...cards, ...sendEffects.values()], isAsking ? request.id : null),
      };
    },
  };
}

function wantDelivery(
  deliveries: PlannedDeliveries,
  { to }: NoticeRule,
  reader: Parameters<PlannedDeliveries["ask"]>[0],
): Delivery | undefined {
  return to === "people" || to === "new_reviewers"
    ? deliveries.ask(reader)
    : deliveries.want(reader, "QUEUED");
}

/** Channels that have the card already: one that gets it with this notice needs no note beside it. */
function channelsWithCard(
  channels: readonly DeliveryAddress[],
  known: readonly Delivery[],
  { chat }: NoticeRule,
): readonly Recipient[] {
  return channels
    .filter(
      ({ address }) =>
        chat !== "card" || known.some((one) => one.readerId === null && one.address === address),
    )
    .map(({ messenger, address }) => ({
      readerId: null,
      audience: "channel",
      addresses: [{ messenger, address }],
    }));
}

/** @param checkedRequestId Whose deliveries are checked once more after a while, if any. */
function toNewEffects(
  { runtime }: ServiceContext,
  effects: readonly Effect[],
  checkedRequestId: AccessRequest["id"] | null,
): readonly NewEffect[] {
  const now = runtime.now();
  const withContext = { now, runtime };
  const added = effects.map((effect) => newEffect(effect, withContext));
  if (checkedRequestId === null) return added;
  const check: Effect = { kind: "check_delivery", requestId: checkedRequestId, lost: null };
  return [...added, { ...newEffect(check, withContext), dueAt: plus(now, deliveryCheckMs) }];
}

/** What makes a copy true, where it can be rewritten. */
export function deliveryUpdate(
  { surfaces }: ServiceContext,
  requestId: AccessRequest["id"],
  delivery: Delivery,
): readonly Effect[] {
  if (delivery.notice !== null) return noteUpdate(delivery, delivery.notice, requestId);
  const { surface, address, audience, readerId, state } = delivery;
  const isCard = surface !== "nowhere" && surfaces.get(surface)?.keepsCards === true;
  // What was given up is not tried again at every change; who is asked anew has a copy of their own by then.
  return isCard && (state === "QUEUED" || state === "SENT")
    ? [{ kind: "update_card", requestId, surface, address, audience, readerId }]
    : [];
}

/** Many approvers are asked in the policy's channel, and what follows for those who were is said there too. */
async function coverageFor(
  context: ServiceContext,
  request: AccessRequest,
  known: readonly Delivery[],
  { to, chat }: NoticeRule,
  recipients: readonly Recipient[],
): Promise<ChannelCoverage> {
  if (to !== "people" || chat === "quiet") return noCoverage;
  if (chat === "note") return recordedCoverage(context, request, known);
  return recipients.length > directMessagesMax ? channelCoverage(context, request, known) : noCoverage;
}

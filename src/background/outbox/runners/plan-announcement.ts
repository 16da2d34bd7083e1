import type { AccessRequest } from "../../../core/access/access-request.ts";
import type { Addressee, Effect } from "../../../core/effects/effects.ts";
import { noticeRules, type Notice, type NoticeRule } from "../../../core/effects/notices.ts";
import { plus } from "../../../core/values/time.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { DeliveryAddress } from "../../../service/messaging/surfaces.ts";
import type { Delivery, NewEffect, Write } from "../../../service/ports/store.ts";
import { coverageFor } from "../deliveries/channel-coverage.ts";
import { newNote } from "../deliveries/new-note.ts";
import { createPlannedDeliveries, type PlannedDeliveries } from "../deliveries/planned-deliveries.ts";
import { recipientsOf, type Recipient } from "../deliveries/recipients.ts";
import { updatesOf } from "../deliveries/delivery-updates.ts";
import { deliveryCheckMs } from "./check-delivery.ts";

interface Announcement {
  readonly writes: readonly Write[];
  readonly effects: readonly NewEffect[];
}

/** Plans the messages of these notices, and an update of every delivered card of the request. */
export async function planAnnouncement(
  context: ServiceContext,
  request: AccessRequest,
  notices: readonly Notice[],
): Promise<Announcement> {
  const known = await context.store.deliveries([request.id]);
  const deliveries = createPlannedDeliveries(context, request.id, known);
  const plan: Plan = { context, request, known, deliveries, notes: [], sendNotes: new Map() };
  let isAsking = false;
  for (const notice of notices) {
    for (const rule of noticeRules[notice.notice]) {
      await applyRule(plan, notice, rule);
      isAsking ||= rule.to === "people" && rule.chat === "card" && notice.people.length > 0;
    }
  }
  return announcementOf(plan, isAsking);
}

/** What one announcement sends, collected rule by rule. */
interface Plan {
  readonly context: ServiceContext;
  readonly request: AccessRequest;
  /** The deliveries of this request before the announcement. */
  readonly known: readonly Delivery[];
  readonly deliveries: PlannedDeliveries;
  readonly notes: Delivery[];
  /** By addressee and content: a channel may receive a notice for itself and for the people it covers. */
  readonly sendNotes: Map<string, Effect>;
}

async function applyRule(plan: Plan, notice: Notice, rule: NoticeRule): Promise<void> {
  const { context, request, known } = plan;
  const recipients = await recipientsOf(context, request, notice, rule);
  const coverage = await coverageFor(context, request, known, rule, recipients);
  let isAnyCovered = false;
  for (const recipient of recipients) {
    const covered = coverage.coveredOf(recipient);
    isAnyCovered ||= covered.length > 0;
    addRecipient(plan, notice, rule, recipient, covered);
  }
  if (!isAnyCovered) return;
  for (const channel of channelsWithCard(coverage.channels, known, rule)) {
    addMessages(plan, notice, { ...rule, chat: "note" }, channel);
  }
}

/** Adds messages at the addresses that no channel covers, and records that a covered person needs none. */
function addRecipient(
  plan: Plan,
  notice: Notice,
  rule: NoticeRule,
  recipient: Recipient,
  covered: readonly DeliveryAddress[],
): void {
  const { readerId, audience, addresses } = recipient;
  if (covered.length === 0 || readerId === null) return addMessages(plan, notice, rule, recipient);
  plan.deliveries.ensure({ surface: "nowhere", address: readerId, audience, readerId }, "NOT_NEEDED");
  const others = addresses.filter((address) => !covered.includes(address));
  if (others.length > 0) addMessages(plan, notice, rule, { ...recipient, addresses: others });
}

function addMessages(plan: Plan, notice: Notice, rule: NoticeRule, recipient: Recipient): void {
  const { readerId, audience, addresses } = recipient;
  for (const address of addresses) addMessage(plan, notice, rule, recipient, address);
  if (addresses.length === 0 && readerId !== null && rule.isKnownOnly !== true) {
    plan.deliveries.ensure({ surface: "nowhere", address: readerId, audience, readerId }, "UNREACHABLE");
  }
}

/** Adds the card, the note or the e-mail that the rule gives a recipient at this address. */
function addMessage(
  plan: Plan,
  notice: Notice,
  rule: NoticeRule,
  { readerId, audience }: Recipient,
  { messenger, address }: DeliveryAddress,
): void {
  const { keepsCards, surface } = messenger;
  const to: Addressee = { surface, address, readerId };
  if (rule.isKnownOnly === true && !plan.deliveries.isKnown(to, audience)) return;
  const isCard = keepsCards && rule.chat === "card";
  const isEmail = !keepsCards && rule.byEmail;
  const before = isCard || isEmail ? planDelivery(plan, rule, { ...to, audience }) : undefined;
  const isRepeated = isCard && rule.isRepeated === true && before?.state === "SENT";
  const isNote = keepsCards && rule.chat === "note";
  if (isEmail || isNote || isRepeated) addNote(plan, notice, to, { audience, keepsCards });
}

/** @returns the delivery as it was before; undefined: it is new. */
function planDelivery(
  { deliveries }: Plan,
  { to }: NoticeRule,
  reader: Parameters<PlannedDeliveries["ensureAsked"]>[0],
): Delivery | undefined {
  return to === "people" || to === "new_reviewers"
    ? deliveries.ensureAsked(reader)
    : deliveries.ensure(reader, "QUEUED");
}

function addNote(
  { context, request, notes, sendNotes }: Plan,
  { notice }: Notice,
  to: Addressee,
  { audience, keepsCards }: Pick<Recipient, "audience"> & { readonly keepsCards: boolean },
): void {
  const about = { topic: "request", requestId: request.id, notice, audience } as const;
  const key = JSON.stringify([to, about]);
  if (sendNotes.has(key)) return;
  if (!keepsCards) {
    sendNotes.set(key, { kind: "send_note", ...to, about });
    return;
  }
  const note = newNote(context, about, to);
  notes.push(note);
  sendNotes.set(key, { kind: "send_note", ...to, about, deliveryId: note.id });
}

/** Channels that have the card already: one that receives the card with this notice needs no note. */
function channelsWithCard(
  channels: readonly DeliveryAddress[],
  known: readonly Delivery[],
  { chat }: NoticeRule,
): readonly Recipient[] {
  const hasCard = ({ address }: DeliveryAddress): boolean =>
    known.some((delivery) => delivery.readerId === null && delivery.address === address);
  return channels
    .filter((channel) => chat !== "card" || hasCard(channel))
    .map((channel) => ({ readerId: null, audience: "channel", addresses: [channel] }));
}

function announcementOf(plan: Plan, isAsking: boolean): Announcement {
  const { context, request, deliveries, notes, sendNotes } = plan;
  const { runtime } = context;
  const now = runtime.now();
  const updates = deliveries.all().flatMap((delivery) => updatesOf(context, request.id, delivery));
  // Cards come first, so that a note finds the card it is posted below.
  const messages = [...updates, ...sendNotes.values()].map((effect) => newEffect(effect, { now, runtime }));
  const check: Effect = { kind: "check_delivery", requestId: request.id, lost: null };
  const checkLater = { ...newEffect(check, { now, runtime }), dueAt: plus(now, deliveryCheckMs) };
  return {
    writes: [...deliveries.writes(), ...notes.map((value): Write => ({ kind: "deliveryAdded", value }))],
    effects: isAsking ? [...messages, checkLater] : messages,
  };
}

import { withoutTokens } from "../core/values/mask-tokens.ts";
import { policyMessageTail, type Refusal, type RefusalCode } from "../core/values/refusals.ts";
import { parseInstant } from "../core/values/time.ts";
import type { Line } from "./card-text.ts";
import { durationWords } from "./duration-words.ts";
import { slashPrefix } from "./help.ts";

/** How one code is said: `what` where the detail, written for every door, does not fit in chat. */
interface Sentences {
  readonly what?: string;
  /** What to do next; null: the detail says it. */
  readonly next: ((refusal: Refusal, prefix: string) => string) | null;
}

const askAgain = (_: Refusal, prefix: string): string => `You can ask again with ${prefix}request.`;
const lookAgain = (): string => "The card shows how it stands now; decide on that.";
const tryLater = ({ retryAfterSeconds }: Refusal): string =>
  `Try again ${retryAfterSeconds === undefined ? "in a moment" : `in ${durationWords(Math.ceil(retryAfterSeconds) * 1000)}`}.`;
const endingsWork = (): string => "Nothing was changed. Access can still be ended, and requests denied.";

/** Every code, closed: a new one without its sentence is a type error. */
const sentences: { readonly [Code in RefusalCode]: Sentences } = {
  malformed: {
    what: "That could not be read.",
    next: () => "Try again; if it happens again, tell an administrator.",
  },
  unauthenticated: {
    what: "It could not be verified that this is you right now.",
    next: () => "Nothing was changed. Try again in a minute; if it happens again, tell an administrator.",
  },
  missing_role: {
    what: "You do not have the role that this needs.",
    next: () => "An administrator gives roles in the configuration.",
  },
  not_self: { next: () => "Leave out the other person and ask for yourself." },
  not_requester: { next: (_, prefix) => `Your own requests are in ${prefix}list.` },
  not_an_approver: { next: () => "The people asked are named on the request; one of them can decide." },
  not_a_reviewer: { next: () => "The reviewers named by the configuration judge it." },
  self_approval: { next: () => "Somebody else of those asked has to decide." },
  identity_inactive: { next: null },
  identity_not_linked: { next: () => "An administrator can link an account of a member to a person here." },
  policy_denied: { next: (_, prefix) => `${prefix}why with the scope shows which policy decides and why.` },
  break_glass_not_allowed: { next: (_, prefix) => `Ask in the normal way with ${prefix}request.` },
  break_glass_limit: { next: (_, prefix) => `Ask in the normal way with ${prefix}request.` },
  break_glass_review_due: { next: (_, prefix) => `Until then ask in the normal way with ${prefix}request.` },
  not_found: {
    next: (_, prefix) => `Check the id: ${prefix}list shows your requests, and each card has its id.`,
  },
  method_not_allowed: {
    what: "That cannot be done with this.",
    next: (_, prefix) => `${prefix}help lists what can.`,
  },
  duplicate_request: {
    next: ({ existing }, prefix) =>
      existing === undefined
        ? `${prefix}list shows it.`
        : `See it with ${prefix}status ${existing}, or withdraw it with ${prefix}cancel ${existing}.`,
  },
  already_decided: { next: () => "The card shows how it stands now." },
  already_voted: { next: () => "Your decision counts; the card shows who is still asked." },
  already_abandoned: { next: () => "Its access is over. Remove the object by hand if the target returns." },
  already_claimed: {
    what: "The credential was already shown; it is shown only once.",
    next: () => "If you have lost it, press Replace credential.",
  },
  stage_not_open: { next: () => "You are asked when the stage before it is met." },
  request_changed: { next: lookAgain },
  approval_window_passed: { next: null },
  not_claimable: { next: () => "The card shows how it stands now." },
  not_active: { next: askAgain },
  name_taken: { next: () => "Look at who has it before you change anything." },
  managed_by_file: { next: () => "Change it in the configuration file." },
  idempotency_running: { what: "The same call is still running.", next: tryLater },
  too_large: { what: "That is too long.", next: () => "Shorten it and send it again." },
  unsupported_type: { what: "That could not be read.", next: () => "Send it as plain text." },
  invalid_body: { next: () => "Correct it and send it again." },
  invalid_scope: {
    next: (_, prefix) => `${prefix}request opens the form, where the catalog can be searched.`,
  },
  invalid_duration: { next: () => "Write it like 30m, 2h or 1d." },
  duration_exceeds_policy: { next: null },
  identity_unknown: { next: () => "Check how it is written." },
  no_approvers: { next: null },
  ticket_required: { next: () => "In a command, end it with the word ticket and its number." },
  idempotency_mismatch: { what: "The same key came with something else.", next: () => "Send it again." },
  too_costly: { next: null },
  rate_limited: { what: "That was too much at once.", next: tryLater },
  limit_reached: {
    // A minute is said where nobody knows: one's own limits end by ending something.
    next: (refusal, prefix) =>
      (refusal.retryAfterSeconds ?? 60) <= 60 ? `${prefix}list shows what you have open.` : tryLater(refusal),
  },
  store_unavailable: {
    next: tryLater,
  },
  clock_behind: { next: endingsWork },
  audit_head_differs: { next: endingsWork },
};

/** A no in sentences: what happened, what is wrong in particular, and what to do next. */
export function refusalText(original: Refusal, prefix: string = slashPrefix): readonly Line[] {
  // What was typed is named back without any token in it.
  const refusal = withoutTokens(original);
  const { what, next } = sentences[refusal.refused];
  const { policyMessage } = refusal;
  const tail = policyMessage === undefined ? "" : policyMessageTail(policyMessage);
  const isTold = tail !== "" && refusal.detail.endsWith(tail);
  const detail = isTold ? refusal.detail.slice(0, -tail.length) : refusal.detail;
  const happened: Line = what === undefined ? detailLine(detail) : [what];
  return [
    happened,
    ...(isTold && policyMessage !== undefined
      ? [["Its author says: ", { quote: policyMessage }] satisfies Line]
      : []),
    ...(refusal.errors ?? [])
      .slice(0, errorsShownMax)
      .map(({ path, message }): Line => [{ literal: `${path}: ${message}` }]),
    ...(next === null ? [] : [[next(refusal, prefix)] satisfies Line]),
  ];
}

const momentPattern = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)/;

/** The detail is written for every door; moments in it are for the reader's own time zone. */
function detailLine(detail: string): Line {
  // Every second piece is what the pattern has caught; what somebody typed need not be a moment for all that.
  return detail.split(momentPattern).flatMap((piece, index) => {
    if (piece === "") return [];
    return [index % 2 === 1 && parseInstant(piece) !== undefined ? { time: piece } : { literal: piece }];
  });
}

const errorsShownMax = 5;

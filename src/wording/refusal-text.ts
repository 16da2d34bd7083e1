import { withoutTokens } from "../core/values/mask-tokens.ts";
import { policyMessageTail, type Refusal, type RefusalCode } from "../core/values/refusals.ts";
import { parseInstant } from "../core/values/time.ts";
import type { Line } from "./card-text.ts";
import { durationWords } from "./duration-words.ts";
import { slashPrefix } from "./help.ts";

/** The text of one refusal code. `what` replaces a detail that does not fit in chat. */
interface Sentences {
  readonly what?: string;
  /** What to do next; null when the detail says so. */
  readonly next: ((refusal: Refusal, prefix: string) => string) | null;
}

const askAgain = (_: Refusal, prefix: string): string => `You can ask again with ${prefix}request.`;
const showCurrentCard = (): string => "The card shows how it stands now; decide on that.";
const tryLater = ({ retryAfterSeconds }: Refusal): string =>
  `Try again ${retryAfterSeconds === undefined ? "in a moment" : `in ${durationWords(Math.ceil(retryAfterSeconds) * 1000)}`}.`;
const endingsWork = (): string => "Nothing was changed. Access can still be ended, and requests denied.";

/** Sentences for every code; a new code without one is a type error. */
const sentences: { readonly [Code in RefusalCode]: Sentences } = {
  malformed: {
    what: "That could not be read.",
    next: () => "Try again; if it happens again, tell an administrator.",
  },
  unauthenticated: {
    what: "We cannot verify you right now.",
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
  request_changed: { next: showCurrentCard },
  approval_window_passed: { next: null },
  not_claimable: { next: () => "The card shows how it stands now." },
  not_active: { next: askAgain },
  name_taken: { next: () => "Check who has it before you change anything." },
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
    // 60 s is the default where no time is known: own limits end when something is ended.
    next: (refusal, prefix) =>
      (refusal.retryAfterSeconds ?? 60) <= 60 ? `${prefix}list shows what you have open.` : tryLater(refusal),
  },
  store_unavailable: {
    next: tryLater,
  },
  clock_behind: { next: endingsWork },
  audit_head_differs: { next: endingsWork },
};

/** A refusal in sentences: what happened, what exactly is wrong, and what to do next. */
export function refusalText(original: Refusal, prefix: string = slashPrefix): readonly Line[] {
  // Typed text is repeated without tokens.
  const refusal = withoutTokens(original);
  const { what, next } = sentences[refusal.refused];
  const { policyMessage } = refusal;
  const tail = policyMessage === undefined ? "" : policyMessageTail(policyMessage);
  const endsWithMessage = tail !== "" && refusal.detail.endsWith(tail);
  const detail = endsWithMessage ? refusal.detail.slice(0, -tail.length) : refusal.detail;
  const firstLine: Line = what === undefined ? detailLine(detail) : [what];
  return [
    firstLine,
    ...(endsWithMessage && policyMessage !== undefined
      ? [["Its author says: ", { quote: policyMessage }] satisfies Line]
      : []),
    ...(refusal.errors ?? [])
      .slice(0, errorsShownMax)
      .map(({ path, message }): Line => [{ literal: `${path}: ${message}` }]),
    ...(next === null ? [] : [[next(refusal, prefix)] satisfies Line]),
  ];
}

const momentPattern = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)/;

/** Shows times in the detail in the reader's time zone. */
function detailLine(detail: string): Line {
  // Every second piece matched the pattern, but typed text need not be a valid time.
  return detail.split(momentPattern).flatMap((piece, index) => {
    if (piece === "") return [];
    return [index % 2 === 1 && parseInstant(piece) !== undefined ? { time: piece } : { literal: piece }];
  });
}

const errorsShownMax = 5;

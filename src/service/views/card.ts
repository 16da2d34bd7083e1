import type { Audience } from "../../core/effects/notices.ts";
import type { ChatAccount } from "../../core/values/identity.ts";
import type { RequestView } from "./request-view.ts";

export type { Audience };

/** What a card's buttons do. Their labels are in words/labels.ts. */
export const cardActions = [
  "approve",
  "deny",
  "approve_for_less",
  "details",
  "revoke",
  "cancel",
  "show_credential",
  "replace_credential",
  "extend",
  "done",
  "justified",
  "not_justified",
] as const;
export type CardAction = (typeof cardActions)[number];

/** Nobody approves or judges what they were not shown: these are offered only beside every scope and the whole reason. */
export const needsWholeCard: ReadonlySet<string> = new Set<CardAction>([
  "approve",
  "approve_for_less",
  "justified",
  "not_justified",
]);

/** What is offered where not everything could be shown: *Details* shows it, and offers the rest. */
export function actionsOfPart<Action extends string>(
  actions: readonly Action[],
): readonly (Action | "details")[] {
  const others = actions.filter((action) => !needsWholeCard.has(action));
  return others.length === actions.length
    ? actions
    : ["details", ...others.filter((one) => one !== "details")];
}

/** Everything one copy of a request's card says, before it is put into words. Made fresh from state and clock. */
export interface Card {
  readonly audience: Audience;
  /** Of the stored records the card was built from; see `CardService.stateOf`. */
  readonly version: string;
  readonly request: RequestView;
  readonly subjectName: string;
  /** What tells them from others of the same name; null: their id does. */
  readonly subjectEmail: string | null;
  /** The catalog's name for exactly these scopes, where it has one. */
  readonly catalogName: string | null;
  /** Who pressed the button, when that is somebody else. */
  readonly askedByName: string | null;
  /** Why this reader is asked: the selectors that mean them, as the policy's author wrote them. */
  readonly askedAs: readonly string[];
  /** Of a reader who was asked and may decide no more: the selectors that mean them no longer; null: they still may. */
  readonly noLongerAskedAs: readonly string[] | null;
  /** Who ended it before its time; null: nobody, or it goes on. */
  readonly endedBy: { readonly name: string } | null;
  /** Who decided it last. */
  readonly decidedBy: { readonly name: string; readonly via: string; readonly at: string } | null;
  /** What was decided about the same access of the same person the last time. */
  readonly lastDecision: {
    readonly status: string;
    readonly at: string;
    readonly byName: string | null;
    readonly reason: string | null;
  } | null;
  /** How many of the approvers asked so far have been told, and who can be reached nowhere. */
  readonly reach: {
    readonly reached: number;
    /** Whom a message is on its way to. */
    readonly inFlight: number;
    readonly asked: number;
    readonly unreachedNames: readonly string[];
  } | null;
  /** Chat accounts of those who have decided: a shared message that can differ by reader offers them no Approve. */
  readonly voterAccounts: readonly ChatAccount[];
  /** The request's channels that could not be told, as the policy writes them, with the fault's code. */
  readonly unreachedChannels: readonly { readonly reference: string; readonly code: string }[];
  /** In a channel that stands in for many approvers: whom it calls. */
  readonly mentions: readonly Mention[];
  readonly actions: readonly CardAction[];
}

/** Somebody whom a platform is to call by name. */
export type Mention =
  | { readonly kind: "usergroup"; readonly id: string }
  | { readonly kind: "account"; readonly account: ChatAccount; readonly name: string };

/** From this score on *Approve* asks once more. */
const highRiskScore = 70;

export function isHighRisk({ risk }: Pick<RequestView, "risk">): boolean {
  return risk !== null && risk.score >= highRiskScore;
}

/** What this very reader could decide now. A channel has no single reader, so everything is offered there. */
export interface Decidable {
  readonly canApprove: boolean;
  readonly canDeny: boolean;
}

const everything: Decidable = { canApprove: true, canDeny: true };

/** What still makes sense to press: by status and reader. At most four. */
export function actionsFor(
  audience: Audience,
  request: RequestView,
  reader: string | null,
  decidable: Decidable = everything,
): readonly CardAction[] {
  const { status } = request;
  const review: readonly CardAction[] = isReviewWanted(request, reader) ? ["justified", "not_justified"] : [];
  switch (audience) {
    case "requester":
      if (status === "PENDING") return ["cancel"];
      if (status === "APPROVED") return ["show_credential", "cancel"];
      if (status !== "ACTIVE") return [];
      return request.breakGlass ? ["done", "replace_credential"] : ["extend", "done", "replace_credential"];
    case "approver":
    case "channel":
      if (status === "PENDING") return decidingActions(decidable);
      return status === "APPROVED" || status === "ACTIVE" ? ["revoke", "details"] : [];
    case "reviewer":
    case "alert":
      return [...review, ...(status === "ACTIVE" || status === "APPROVED" ? (["revoke"] as const) : [])];
  }
}

/** After their own approval a person can still deny, and nothing else. */
function decidingActions({ canApprove, canDeny }: Decidable): readonly CardAction[] {
  return [
    ...(canApprove ? (["approve"] as const) : []),
    ...(canDeny ? (["deny"] as const) : []),
    ...(canApprove ? (["approve_for_less"] as const) : []),
    "details",
  ];
}

/** The first judgement is anybody's; one that says "not justified" may be judged again by another reviewer. */
function isReviewWanted({ breakGlass, startedAt, review }: RequestView, reader: string | null): boolean {
  if (!breakGlass || startedAt === null || review === null) return false;
  const last = review.reviews.at(-1);
  if (last === undefined) return true;
  return (
    last.outcome === "unjustified" && reader !== null && review.reviews.every((one) => one.by !== reader)
  );
}

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

/** Offered only next to every scope and the whole reason: nobody approves or reviews what they have not seen. */
export const needsWholeCard: ReadonlySet<string> = new Set<CardAction>([
  "approve",
  "approve_for_less",
  "justified",
  "not_justified",
]);

/** The actions of a shortened card. *Details* shows everything and offers the others. */
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
  /** Of the stored records the card was built from; see `CardService.versionOf`. */
  readonly version: string;
  readonly request: RequestView;
  readonly subjectName: string;
  /** Distinguishes people with the same name; null when there is none, then the id does. */
  readonly subjectEmail: string | null;
  /** The catalog's name for exactly these scopes, where it has one. */
  readonly catalogName: string | null;
  /** Who submitted the request, when that is another person. */
  readonly askedByName: string | null;
  /** Why this reader is asked: the selectors that match them, as the policy's author wrote them. */
  readonly askedAs: readonly string[];
  /** For a reader who may no longer decide: the selectors that used to match them; null while they may. */
  readonly noLongerAskedAs: readonly string[] | null;
  /** Who ended it early; null when nobody has. */
  readonly endedBy: { readonly name: string } | null;
  /** Who decided it last. */
  readonly decidedBy: { readonly name: string; readonly via: string; readonly at: string } | null;
  /** The last decision about the same access of the same person. */
  readonly lastDecision: {
    readonly status: string;
    readonly at: string;
    readonly byName: string | null;
    readonly reason: string | null;
  } | null;
  /** How many of the approvers asked so far have been notified, and who cannot be reached. */
  readonly reach: {
    readonly reached: number;
    /** How many have a message on its way. */
    readonly inFlight: number;
    readonly asked: number;
    readonly unreachedNames: readonly string[];
  } | null;
  /** Chat accounts of the voters: a shared message that can differ by reader does not offer them *Approve*. */
  readonly voterAccounts: readonly ChatAccount[];
  /** The request's channels that could not be notified, as the policy writes them, with the fault code. */
  readonly unreachedChannels: readonly { readonly reference: string; readonly code: string }[];
  /** In a channel that stands in for many approvers: whom the message mentions. */
  readonly mentions: readonly Mention[];
  readonly actions: readonly CardAction[];
}

/** A person or group that the message mentions. */
export type Mention =
  | { readonly kind: "usergroup"; readonly id: string }
  | { readonly kind: "account"; readonly account: ChatAccount; readonly name: string };

/** From this score on, *Approve* asks for confirmation. */
const highRiskScore = 70;

export function isHighRisk({ risk }: Pick<RequestView, "risk">): boolean {
  return risk !== null && risk.score >= highRiskScore;
}

/** What this reader could decide now. A channel has no single reader, so everything is offered there. */
export interface Decidable {
  readonly canApprove: boolean;
  readonly canDeny: boolean;
}

const everything: Decidable = { canApprove: true, canDeny: true };

/** The actions that still make sense, by status and reader. At most four. */
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

/** After their own approval, a person can still deny, and nothing else. */
function decidingActions({ canApprove, canDeny }: Decidable): readonly CardAction[] {
  return [
    ...(canApprove ? (["approve"] as const) : []),
    ...(canDeny ? (["deny"] as const) : []),
    ...(canApprove ? (["approve_for_less"] as const) : []),
    "details",
  ];
}

/** Any reviewer may review first. After "not justified", another reviewer may review again. */
function isReviewWanted({ breakGlass, startedAt, review }: RequestView, reader: string | null): boolean {
  if (!breakGlass || startedAt === null || review === null) return false;
  const last = review.reviews.at(-1);
  if (last === undefined) return true;
  return (
    last.outcome === "unjustified" && reader !== null && review.reviews.every((one) => one.by !== reader)
  );
}

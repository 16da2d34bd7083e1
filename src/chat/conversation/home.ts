import type { IdentityId } from "../../core/values/ids.ts";
import { isRefusal, type Refusal } from "../../core/values/refusals.ts";
import { parseInstant } from "../../core/values/time.ts";
import type { Caller } from "../../service/ports/caller.ts";
import type { Audience, Card } from "../../service/views/card.ts";
import type { ListQuery } from "../../service/requests/request-queries.ts";
import type { RequestView } from "../../service/views/request-view.ts";
import { accessLine } from "../../wording/card-text.ts";
import type { Line } from "../../wording/line.ts";
import { endedText } from "../../wording/status-line.ts";
import { timeLeftWords } from "../../wording/duration-words.ts";
import type { MenuAction } from "../../wording/labels.ts";
import type { ChatContext } from "./chat-context.ts";

/** The overview of what a person has to decide and which access they have. */
export interface Home {
  readonly lead: readonly Line[];
  readonly sections: readonly HomeSection[];
  readonly buttons: readonly MenuAction[];
  /** The page with the next entries; null: there is none. */
  readonly nextPage: number | null;
}

export interface HomeSection {
  readonly id: "to_decide" | "active" | "pending" | "recent";
  readonly title: string;
  /** At most 10. */
  readonly entries: readonly HomeEntry[];
  /** Whether there are more entries than shown. */
  readonly isCut: boolean;
  /** The text for a section without entries. */
  readonly empty: string;
}

export interface HomeEntry {
  /** One line: the access, its owner, and the time left. */
  readonly line: Line;
  readonly card: Card;
}

const entriesMax = 10;
const recentMax = 5;
/** Requests read for each page. More than entries, because some requests belong to no section. */
const readMax = 50;
const pagesMax = 20;

/** Builds the home from the current state. `page`: from 1, with ten entries of each section. */
export async function homeOf(context: ChatContext, caller: Caller, page = 1): Promise<Home | Refusal> {
  const me = caller.identity.id;
  const toDecide = await requestsToDecide(context, caller, readMax * page);
  if (isRefusal(toDecide)) return toDecide;
  const own = await ownRequests(context, caller, readMax * page);
  if (isRefusal(own)) return own;
  const section = (
    id: HomeSection["id"],
    title: string,
    empty: string,
    requests: readonly RequestView[],
    max: number = entriesMax,
  ): Promise<HomeSection> => {
    const rest = requests.slice((page - 1) * max);
    return sectionOf(context, me, { id, title, empty }, rest, max);
  };
  const sections = await Promise.all([
    section("to_decide", "To decide", "Nothing waits for you.", toDecide),
    section("active", "Active", "You have no access at the moment.", own.active),
    section("pending", "Pending", "You have no open requests.", own.pending),
    section("recent", "Recent", "Nothing yet.", own.recent, recentMax),
  ]);
  const hasNext = sections.some(({ isCut }) => isCut) && page < pagesMax;
  return {
    lead: page === 1 ? [["Hello ", { userText: caller.identity.name }, "."]] : [[`Page ${page}`]],
    sections: page === 1 ? sections : sections.filter(({ entries }) => entries.length > 0),
    buttons: page === 1 ? ["request_access", "break_glass", "help"] : ["home"],
    nextPage: hasNext ? page + 1 : null,
  };
}

/** Pending requests that this person has not decided yet. */
async function requestsToDecide(
  context: ChatContext,
  caller: Caller,
  limit: number,
): Promise<readonly RequestView[] | Refusal> {
  const me = caller.identity.id;
  const found = await context.services.requestQueries.list(
    caller,
    { status: "PENDING", approver: "me" },
    { limit },
  );
  if (isRefusal(found)) return found;
  return found.rows.filter((request) => {
    const own = request.approvers.filter(({ identityId }) => identityId === me);
    return own.some(({ status }) => status === "PENDING" || status === "ESCALATED");
  });
}

export interface OwnRequests {
  readonly active: readonly RequestView[];
  readonly pending: readonly RequestView[];
  readonly recent: readonly RequestView[];
}

/** This person's own requests, grouped by what can be done with them. */
export async function ownRequests(
  context: ChatContext,
  caller: Caller,
  limit = readMax,
): Promise<OwnRequests | Refusal> {
  const listed = async (query: ListQuery): Promise<readonly RequestView[] | Refusal> => {
    const identityId = caller.identity.id;
    const found = await context.services.requestQueries.list(caller, { ...query, identityId }, { limit });
    return isRefusal(found) ? found : found.rows;
  };
  const active = await listed({ status: "ACTIVE" });
  const approved = await listed({ status: "APPROVED" });
  const undecided = await listed({ status: "PENDING" });
  const all = await listed({});
  if (isRefusal(active)) return active;
  if (isRefusal(approved)) return approved;
  if (isRefusal(undecided)) return undecided;
  if (isRefusal(all)) return all;
  const recent = all.filter((request) => request.endedAt !== null);
  return { active, pending: [...approved, ...undecided], recent };
}

async function sectionOf(
  context: ChatContext,
  me: IdentityId,
  about: Pick<HomeSection, "id" | "title" | "empty">,
  requests: readonly RequestView[],
  max: number,
): Promise<HomeSection> {
  const audience: Audience = about.id === "to_decide" ? "approver" : "requester";
  const entries: HomeEntry[] = [];
  for (const { id } of requests.slice(0, max)) {
    const card = await context.cards.cardFor(id, audience, me);
    if (card !== undefined) entries.push({ line: entryLine(card, context.now()), card });
  }
  return { ...about, entries, isCut: requests.length > max };
}

/** `read:prod:orders-db for 2 hours · 42 minutes left` */
function entryLine(card: Card, now: number): Line {
  const { request, audience } = card;
  const access = accessLine(card);
  const whose: Line = audience === "requester" ? [] : [{ userText: card.subjectName }, ": "];
  switch (request.status) {
    case "ACTIVE":
      return [...whose, ...access, ...leftUntil(request.expiresAt, "left", now)];
    case "PENDING":
      return [...whose, ...access, ...leftUntil(request.approvalDeadline, "to decide", now)];
    case "APPROVED":
      return [
        ...whose,
        ...access,
        " · approved",
        ...leftUntil(request.claimDeadline, "to show the credential", now),
      ];
    default:
      return [
        ...whose,
        ...access,
        ` · ${endedText(request.status).toLowerCase()}`,
        ...(request.endedAt === null ? [] : [" ", { time: request.endedAt }]),
      ];
  }
}

function leftUntil(time: string | null, what: string, now: number): Line {
  const at = time === null ? undefined : parseInstant(time);
  return at === undefined ? [] : [` · ${timeLeftWords(at - now)} ${what}`];
}

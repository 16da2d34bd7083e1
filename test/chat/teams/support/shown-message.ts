import type { FakeCard } from "../../../fakes/teams/bot-framework.ts";
import type { ShownMessage } from "../../../support/complete-text-contract.ts";
import { titles } from "./teams-users.ts";

type Json = { readonly [name: string]: unknown };

/** The text of this card as its reader sees it, with quotations apart from our own text. */
export function shownMessage(card: FakeCard): ShownMessage {
  const ours: string[] = [];
  const theirs: string[] = [];
  const read = (element: Json, isQuoted: boolean): void => {
    const rows = isQuoted ? theirs : ours;
    if (typeof element["text"] === "string") rows.push(...element["text"].split("\n"));
    const runs = list(element["inlines"]).map((one) => String(one["text"]));
    if (runs.length > 0) rows.push(...runs.join("").replaceAll("\u2060", "").split("\n"));
    for (const item of list(element["items"])) read(item, isQuoted || element["style"] === "emphasis");
  };
  for (const element of list(card.body)) read(element, false);
  return { ours, theirs, buttons: titles(card) };
}

function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? (value as Json[]) : [];
}

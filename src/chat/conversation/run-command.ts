import { assertNever } from "../../core/values/assert.ts";
import { isRefusal } from "../../core/values/refusals.ts";
import type { Caller } from "../../service/ports/caller.ts";
import type { Card } from "../../service/views/card.ts";
import { accountIn } from "../../core/values/identity.ts";
import type { Line } from "../../wording/card-text.ts";
import { parseCommand, type Command, type CommandError } from "../../wording/parse-command.ts";
import { commandHelp, helpLines } from "../../wording/help.ts";
import type { MenuAction } from "../../wording/labels.ts";
import { cutTo } from "../../wording/escape-invisible.ts";
import { cardReply, outcomeReply, prefixOf, refusedReply, textReply } from "./reply-builders.ts";
import { submitTypedRequest, openBreakGlass } from "./submit-request.ts";
import { explainPolicies } from "./explain-policies.ts";
import { homeOf, ownRequests } from "./home.ts";
import type { ChatContext } from "./chat-context.ts";
import { approve, cancel, done, openForm } from "./button-actions.ts";
import { requestForm } from "./request-form.ts";
import type { Reply } from "./reply.ts";
import { extendBy } from "./submit-form.ts";

/** Runs the text typed after `/jit`. */
export async function runTyped(context: ChatContext, caller: Caller, text: string): Promise<Reply> {
  const read = parseCommand(text);
  return "error" in read ? commandErrorReply(context, read) : runCommand(context, caller, read);
}

async function runCommand(context: ChatContext, caller: Caller, command: Command): Promise<Reply> {
  const { requestCommands } = context.services;
  switch (command.verb) {
    case "menu":
      return menuReply(context, caller);
    case "help":
      return textReply(...helpLines(command.topic, prefixOf(context)));
    case "home":
      return homeReply(context, caller);
    case "list":
      return listReply(context, caller);
    case "link":
      return linkedReply(caller);
    case "request":
      return submitTypedRequest(context, caller, command);
    case "break-glass":
      return openBreakGlass(context, caller, command);
    case "why":
      return explainPolicies(context, caller, command.scopes, command.duration);
    case "status":
      return cardReply(context, caller, command.id);
    case "approve": {
      const { id, comment, duration } = command;
      return approve(context, caller, id, {
        ...(comment !== null && { comment }),
        ...(duration !== null && { duration }),
      });
    }
    case "deny": {
      const { id, reason } = command;
      if (reason === null) return openForm(context, caller, "deny", id);
      const lead: readonly Line[] = [["You denied it; the requester is notified of your reason."]];
      return outcomeReply(context, caller, id, await requestCommands.deny(caller, id, reason), () => lead);
    }
    case "revoke": {
      const { id, reason } = command;
      if (reason === null) return openForm(context, caller, "revoke", id);
      const lead: readonly Line[] = [["You revoked it; it is over."]];
      return outcomeReply(context, caller, id, await requestCommands.revoke(caller, id, reason), () => lead);
    }
    case "cancel":
      return cancel(context, caller, command.id, command.reason ?? undefined);
    case "done":
      return done(context, caller, command.id, command.reason ?? undefined);
    case "extend": {
      const { id, duration, reason } = command;
      return duration === null || reason === null
        ? openForm(context, caller, "extend", id, { typed: { duration, words: reason } })
        : extendBy(context, caller, id, { duration, reason });
    }
    default:
      return assertNever(command);
  }
}

/** Runs a button that starts something new. */
export async function runMenu(
  context: ChatContext,
  caller: Caller,
  action: MenuAction,
  page = 1,
): Promise<Reply> {
  switch (action) {
    case "request_access":
      return { kind: "dialog", dialog: requestForm() };
    case "break_glass":
      return openBreakGlass(context, caller, {});
    case "list":
      return listReply(context, caller);
    case "home":
      return homeReply(context, caller, page);
    case "help":
      return textReply(...helpLines(null, prefixOf(context)));
    case "ask_for_link":
      return linkedReply(caller);
    default:
      return assertNever(action);
  }
}

async function homeReply(context: ChatContext, caller: Caller, page = 1): Promise<Reply> {
  const found = await homeOf(context, caller, page);
  return isRefusal(found) ? refusedReply(context, found, null) : { kind: "home", home: found };
}

async function menuReply(context: ChatContext, caller: Caller): Promise<Reply> {
  const found = await homeOf(context, caller);
  if (isRefusal(found)) return refusedReply(context, found, null);
  const counted = found.sections
    .filter((section) => section.id !== "recent" && section.entries.length > 0)
    .map((section): string => {
      const count = section.isCut ? `more than ${section.entries.length}` : String(section.entries.length);
      return `${section.title}: ${count}`;
    });
  return {
    kind: "text",
    lines: [
      ...(counted.length === 0 ? [] : [[counted.join(" · ")] satisfies Line]),
      [`Ask with a form, or type ${prefixOf(context)}request read:prod:orders-db for 2h because INC-42`],
      [`${prefixOf(context)}help lists everything you can type.`],
    ],
    buttons: ["request_access", "break_glass", "list", "home", "help"],
  };
}

/** How many cards one answer shows. */
const listedMax = 10;

async function listReply(context: ChatContext, caller: Caller): Promise<Reply> {
  const own = await ownRequests(context, caller);
  if (isRefusal(own)) return refusedReply(context, own, null);
  const open = [...own.active, ...own.pending];
  const cards: Card[] = [];
  for (const { id } of open.slice(0, listedMax)) {
    const card = await context.cards.cardFor(id, "requester", caller.identity.id);
    if (card !== undefined) cards.push(card);
  }
  const lines: readonly Line[] =
    open.length === 0
      ? [["You have no open requests and no active access."]]
      : open.length > listedMax
        ? [[`The newest ${listedMax} of ${open.length} open requests:`]]
        : [["Your open requests and active access:"]];
  return { kind: "cards", lines, cards, buttons: open.length === 0 ? ["request_access"] : [] };
}

function linkedReply({ identity, via }: Caller): Reply {
  const account = via === "slack" || via === "teams" ? accountIn(identity.links, via) : undefined;
  const ids: readonly Line[] =
    account === undefined ? [] : [["Your account here: ", { userText: `${account.team} ${account.user}` }]];
  return textReply(["You are linked to ", { userText: identity.name }, ` (${identity.id}).`], ...ids);
}

/** The repeated command is cut after this many characters. */
const guessLengthMax = 300;

function commandErrorReply(context: ChatContext, { error, didYouMean, topic }: CommandError): Reply {
  const prefix = prefixOf(context);
  const help =
    topic === null
      ? `${prefix}help lists everything you can type.`
      : `It is typed: ${prefix}${commandHelp[topic].usage}`;
  return {
    kind: "text",
    lines: [
      [{ literal: error }],
      ...(didYouMean === null
        ? []
        : [
            [
              "Did you mean ",
              { literal: cutTo(`${prefix}${didYouMean}`, guessLengthMax) },
              "?",
            ] satisfies Line,
          ]),
      [help],
    ],
    buttons: topic === null ? ["help"] : [],
  };
}

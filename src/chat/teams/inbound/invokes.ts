import { z } from "zod";
import { StoreUnavailable } from "../../../service/ports/store.ts";
import type { Activity } from "../connection/activity.ts";
import { openVerb, type Place } from "../views/buttons.ts";
import { catalogDataset, choiceOf, emptyForm } from "../views/dialogs.ts";
import type { Handled, InboundParts } from "./inbound-deps.ts";
import { dialogAnswer, executeAnswer, searchAnswer } from "./invoke-responses.ts";
import type { Sender } from "../people/people.ts";
import { answerCard } from "./responder.ts";
import { carryOut, openForm, parsePress, refused, type Outcome, type Press } from "./card-actions.ts";

/** The one command of the message extension, as the manifest names it. */
export const requestCommandId = "request";

const executeSchema = z.object({ action: z.object({ data: z.unknown().optional() }) });
const dialogSchema = z.object({ data: z.unknown().optional() });
const commandSchema = z.object({ commandId: z.string() });
const searchSchema = z.object({ dataset: z.string(), queryText: z.string().max(200) });

const searchResultsMax = 15;

/**
 * Presses and dialogs. Each is answered from state, at once and with a body: a no is an answer like any other, and an
 * empty one makes Teams try again.
 */
export function createInvokes(parts: InboundParts): (activity: Activity) => Promise<Handled> {
  const press = async (activity: Activity, data: unknown, place: Place): Promise<Handled> => {
    const read = parsePress(data);
    const outcome = read === undefined ? unreadable : await outcomeOf(parts, activity, read, place);
    if (place === "message" && read !== undefined) keepTrue(parts, activity, read, outcome);
    return {
      body: place === "dialog" ? dialogAnswer(outcome) : executeAnswer(outcome),
      isSecret: outcome.reply.kind === "credential",
    };
  };

  return async (activity) => {
    const { name, value } = activity;
    switch (name) {
      case "adaptiveCard/action":
        return press(activity, executeSchema.safeParse(value).data?.action.data, "message");
      case "task/fetch":
      case "task/submit":
      case "composeExtension/submitAction":
        return press(activity, dialogSchema.safeParse(value).data?.data, "dialog");
      case "composeExtension/fetchTask": {
        const command = commandSchema.safeParse(value).data?.commandId;
        return press(activity, command === requestCommandId ? openForm : undefined, "dialog");
      }
      case "application/search":
        return { body: await search(parts, activity) };
      default:
        return { body: {} };
    }
  };
}

const unreadable: Outcome = {
  reply: refused({ refused: "malformed", detail: "This button is not one of ours." }),
  form: emptyForm,
};

/** Never a throw: whoever pressed is told, and the log hears why. */
async function outcomeOf(
  parts: InboundParts,
  activity: Activity,
  press: Press,
  place: Place,
): Promise<Outcome> {
  try {
    const sender = await parts.people.senderOf(activity);
    const outcome = await carryOut(parts, sender, press, place);
    // Before its buttons can be pressed, so that they never outlive the request.
    if (press.verb === openVerb && place === "message" && sender.kind === "known") {
      await parts.recorded.recordPressed(activity, outcome.reply, sender.caller);
    }
    return outcome;
  } catch (error) {
    parts.onFault(error);
    return { reply: brokenReply(error), form: emptyForm };
  }
}

/** What somebody hears when something broke. */
export function brokenReply(error: unknown): Outcome["reply"] {
  if (error instanceof StoreUnavailable) {
    return refused({
      refused: "store_unavailable",
      detail: "It cannot be decided right now; nothing was changed.",
    });
  }
  const line = "Something went wrong on our side; the log says more. Look at the card before you try again.";
  return { kind: "text", lines: [[line]], buttons: [] };
}

/**
 * A card that answered a message is no copy that anybody keeps true: what has been done with it takes its place for
 * good, so that a form that was sent or a link that was made does not come back when the chat is opened again.
 */
function keepTrue({ replying }: InboundParts, activity: Activity, press: Press, outcome: Outcome): void {
  const isOver = press.verb === "link" || (press.verb === "form:submit" && isOfItsOwn(press));
  if (!isOver || outcome.reply.kind === "dialog" || outcome.reply.kind === "refused") return;
  replying.replace(activity, answerCard(outcome));
}

/** A form that was not opened from a request's card. */
function isOfItsOwn({ ref }: Press): boolean {
  return ref?.includes('"requestId":null') === true;
}

async function search({ chat, people, onFault }: InboundParts, activity: Activity): Promise<object> {
  const query = searchSchema.safeParse(activity.value).data;
  if (query?.dataset !== catalogDataset) return searchAnswer([]);
  try {
    const sender: Sender = await people.senderOf(activity);
    if (sender.kind !== "known") return searchAnswer([]);
    const options = await chat.catalogOptions(sender.caller, query.queryText);
    return searchAnswer(options.slice(0, searchResultsMax).map(choiceOf));
  } catch (error) {
    onFault(error);
    return searchAnswer([]);
  }
}

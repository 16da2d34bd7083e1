import { z } from "zod";
import { StoreUnavailable } from "../../../service/ports/store.ts";
import type { Activity } from "../connection/activity.ts";
import { openVerb, type CardContext } from "../views/buttons.ts";
import { catalogDataset, choiceOf, emptyForm } from "../views/dialogs.ts";
import type { Handled, InboundDeps } from "./inbound-deps.ts";
import { dialogAnswer, executeAnswer, searchAnswer } from "./invoke-responses.ts";
import type { Sender } from "../people/people.ts";
import { answerCard } from "./responder.ts";
import {
  runAction,
  openForm,
  parseActionPayload,
  refused,
  type ActionResult,
  type ActionPayload,
} from "./card-actions.ts";

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
export function createInvokes(deps: InboundDeps): (activity: Activity) => Promise<Handled> {
  const press = async (activity: Activity, data: unknown, cardContext: CardContext): Promise<Handled> => {
    const read = parseActionPayload(data);
    const outcome = read === undefined ? unreadable : await outcomeOf(deps, activity, read, cardContext);
    if (cardContext === "message" && read !== undefined) keepTrue(deps, activity, read, outcome);
    return {
      body: cardContext === "dialog" ? dialogAnswer(outcome) : executeAnswer(outcome),
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
        return { body: await search(deps, activity) };
      default:
        return { body: {} };
    }
  };
}

const unreadable: ActionResult = {
  reply: refused({ refused: "malformed", detail: "This button is not one of ours." }),
  form: emptyForm,
};

/** Never a throw: whoever pressed is told, and the log hears why. */
async function outcomeOf(
  deps: InboundDeps,
  activity: Activity,
  payload: ActionPayload,
  cardContext: CardContext,
): Promise<ActionResult> {
  try {
    const sender = await deps.people.senderOf(activity);
    const outcome = await runAction(deps, sender, payload, cardContext);
    // Before its buttons can be pressed, so that they never outlive the request.
    if (payload.verb === openVerb && cardContext === "message" && sender.kind === "known") {
      await deps.recorded.recordPressed(activity, outcome.reply, sender.caller);
    }
    return outcome;
  } catch (error) {
    deps.onFault(error);
    return { reply: brokenReply(error), form: emptyForm };
  }
}

/** What somebody hears when something broke. */
export function brokenReply(error: unknown): ActionResult["reply"] {
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
function keepTrue(
  { responder }: InboundDeps,
  activity: Activity,
  payload: ActionPayload,
  outcome: ActionResult,
): void {
  const isOver = payload.verb === "link" || (payload.verb === "form:submit" && isOfItsOwn(payload));
  if (!isOver || outcome.reply.kind === "dialog" || outcome.reply.kind === "refused") return;
  responder.replace(activity, answerCard(outcome));
}

/** A form that was not opened from a request's card. */
function isOfItsOwn({ ref }: ActionPayload): boolean {
  return ref?.includes('"requestId":null') === true;
}

async function search({ chat, people, onFault }: InboundDeps, activity: Activity): Promise<object> {
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

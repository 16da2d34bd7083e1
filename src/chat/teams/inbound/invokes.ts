import { z } from "zod";

import type { Activity } from "../connection/activity.ts";
import { openVerb, type CardPlacement } from "../views/buttons.ts";
import { catalogDataset, choiceOf } from "../views/dialogs.ts";
import type { Handled, InboundDeps } from "./inbound-deps.ts";
import { dialogAnswer, executeAnswer, searchAnswer } from "./invoke-responses.ts";
import type { Sender } from "../people/people.ts";
import { answerCard } from "./responder.ts";
import { parseActionPayload, requestFormPayload, type ActionPayload } from "./action-payload.ts";
import { resultOf, runAction, type ActionResult } from "./card-actions.ts";
import { errorReply, malformedReply } from "./refusal-replies.ts";

/** The one command of the message extension, as the manifest names it. */
export const requestCommandId = "request";

const executeSchema = z.object({ action: z.object({ data: z.unknown().optional() }) });
const dialogSchema = z.object({ data: z.unknown().optional() });
const commandSchema = z.object({ commandId: z.string() });
const searchSchema = z.object({ dataset: z.string(), queryText: z.string().max(200) });

const searchResultsMax = 15;

/**
 * Presses and dialogs, which Teams sends as invokes. Each is answered with a body, also when it is refused, because an
 * empty answer makes Teams try again.
 */
export function createInvokes(deps: InboundDeps): (activity: Activity) => Promise<Handled> {
  const press = async (activity: Activity, data: unknown, placement: CardPlacement): Promise<Handled> => {
    const payload = parseActionPayload(data);
    if (payload === undefined) return handled(resultOf(malformedReply()), placement);
    const result = await runSafely(deps, activity, payload, placement);
    if (placement === "message") replaceFinishedCard(deps, activity, payload, result);
    return handled(result, placement);
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
        return press(activity, command === requestCommandId ? requestFormPayload : undefined, "dialog");
      }
      case "application/search":
        return { body: await search(deps, activity) };
      default:
        return { body: {} };
    }
  };
}

function handled(result: ActionResult, placement: CardPlacement): Handled {
  return {
    body: placement === "dialog" ? dialogAnswer(result) : executeAnswer(result),
    isSecret: result.reply.kind === "credential",
  };
}

/** Runs an action without ever throwing: an error is logged, and the person gets a reply about it. */
async function runSafely(
  deps: InboundDeps,
  activity: Activity,
  payload: ActionPayload,
  placement: CardPlacement,
): Promise<ActionResult> {
  try {
    const sender = await deps.people.senderOf(activity);
    const result = await runAction(deps, sender, payload, placement);
    // Recorded before its buttons can be pressed, so that they never outlive the request.
    if (payload.verb === openVerb && placement === "message" && sender.kind === "known") {
      await deps.recordedAnswers.recordPressed(activity, result.reply, sender.caller);
    }
    return result;
  } catch (error) {
    deps.onFault(error);
    return resultOf(errorReply(error));
  }
}

/**
 * Replaces the card of a submitted form or a finished link by its result. The relay updates only the cards that it has
 * posted, so the form would otherwise come back when the chat is opened again.
 */
function replaceFinishedCard(
  { responder }: InboundDeps,
  activity: Activity,
  payload: ActionPayload,
  result: ActionResult,
): void {
  const isOver = payload.verb === "link" || (payload.verb === "form:submit" && isWithoutRequest(payload));
  if (!isOver || result.reply.kind === "dialog" || result.reply.kind === "refused") return;
  responder.replace(activity, answerCard(result));
}

/** Whether the form was not opened from a request's card. */
function isWithoutRequest({ ref }: ActionPayload): boolean {
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

import { isRefusal } from "../../core/values/refusals.ts";
import { minuteMs } from "../../core/values/time.ts";
import type { RequestInput } from "../../service/ports/request-input.ts";
import type { Caller } from "../../service/ports/caller.ts";
import type { Foreseen } from "../../service/requests/evaluation-service.ts";
import { riskLine } from "../../wording/card-text.ts";
import { namesLine, type Line } from "../../wording/line.ts";
import { durationWords, timeLeftWords } from "../../wording/duration-words.ts";
import { refusalText } from "../../wording/refusal-text.ts";
import { prefixOf } from "./reply-builders.ts";
import type { DialogValues } from "./dialog.ts";
import type { ChatContext } from "./chat-context.ts";
import { pickedNames, readForm } from "./request-form.ts";

/** What the dry run of a half-filled form says. */
export interface Preview {
  /** `incomplete`: something is still missing; the lines say what. */
  readonly outcome: "auto_approved" | "needs_approval" | "refused" | "incomplete";
  readonly lines: readonly Line[];
}

/** Stands in for what is not typed yet, so that the rest can be tried out. */
const notTyped = "(not written yet)";

/** Tries out the form as it is: who will be asked, or why not. */
export async function previewOf(
  context: ChatContext,
  caller: Caller,
  values: DialogValues,
): Promise<Preview> {
  const entries = await context.services.catalogSearch.named(pickedNames(values));
  const { input, errors } = readForm(caller, values, entries, false);
  const missing = errors.find((one) => one.field !== "reason");
  if (missing !== undefined) {
    return { outcome: "incomplete", lines: [["Pick an access and a time to see what will happen."]] };
  }
  return dryRun(context, caller, { ...input, reason: input.reason === "" ? notTyped : input.reason });
}

/** The same for what was typed as a command. */
export async function dryRun(context: ChatContext, caller: Caller, input: RequestInput): Promise<Preview> {
  const userText = await context.services.evaluation.foresee(caller, input);
  if (isRefusal(userText)) return refused(context, userText);
  if (userText.refusal !== null) {
    const no = refused(context, userText.refusal);
    return { ...no, lines: [...no.lines, ...riskLines(userText)] };
  }
  return userText.outcome === "AUTO_APPROVED"
    ? { outcome: "auto_approved", lines: [["Will be approved at once."], ...riskLines(userText)] }
    : {
        outcome: "needs_approval",
        lines: [...stageLines(userText), ...(await usualLines(context, input)), ...riskLines(userText)],
      };
}

function refused(context: ChatContext, refusal: Parameters<typeof refusalText>[0]): Preview {
  const [what = [], ...next] = refusalText(refusal, prefixOf(context));
  return { outcome: "refused", lines: [["Not possible: ", ...what], ...next] };
}

function stageLines({ stages, approvalWindow }: Foreseen): readonly Line[] {
  const demands = stages.map(({ stage, required, approvers }): Line => {
    const names = namesLine(approvers.map((one) => one.name));
    const all = approvers.length;
    const which = stages.length === 1 ? "Needs " : `Stage ${stage} needs `;
    return [`${which}${required} of ${all}: `, ...names, "."];
  });
  const window: readonly Line[] =
    approvalWindow === null
      ? []
      : [[`Undecided after ${durationWords(approvalWindow)}, it times out; nothing is given by silence.`]];
  return [...demands, ...window];
}

async function usualLines(context: ChatContext, { scopes }: RequestInput): Promise<readonly Line[]> {
  const usual = await context.services.catalogSearch.usualAnswerMs(scopes);
  if (usual === undefined) return [];
  return [
    [usual < minuteMs ? "Usually answered within a minute." : `Usually answered in ${timeLeftWords(usual)}.`],
  ];
}

function riskLines({ risk }: Foreseen): readonly Line[] {
  return risk === null ? [] : [["Risk ", ...riskLine(risk)]];
}

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

/** The result of the dry run of a form that may be incomplete. */
export interface Preview {
  /** `incomplete`: something is still missing; the lines say what. */
  readonly outcome: "auto_approved" | "needs_approval" | "refused" | "incomplete";
  readonly lines: readonly Line[];
}

/** Placeholder for a missing reason, so that the rest of the form can be evaluated. */
const missingReason = "(not written yet)";

/** The dry run of a form: who will be asked, or why it is not possible. */
export async function previewOf(
  context: ChatContext,
  caller: Caller,
  values: DialogValues,
): Promise<Preview> {
  const entries = await context.services.catalogSearch.named(pickedNames(values));
  const { input, errors } = readForm(caller, values, entries, false);
  const isIncomplete = errors.some(({ field }) => field !== "reason");
  if (isIncomplete) {
    return { outcome: "incomplete", lines: [["Pick an access and a time to see what will happen."]] };
  }
  return dryRun(context, caller, { ...input, reason: input.reason === "" ? missingReason : input.reason });
}

/** The dry run of a complete input. */
export async function dryRun(context: ChatContext, caller: Caller, input: RequestInput): Promise<Preview> {
  const foreseen = await context.services.evaluation.foresee(caller, input);
  if (isRefusal(foreseen)) return refusedPreview(context, foreseen);
  if (foreseen.refusal !== null) {
    const preview = refusedPreview(context, foreseen.refusal);
    return { ...preview, lines: [...preview.lines, ...riskLines(foreseen)] };
  }
  return foreseen.outcome === "AUTO_APPROVED"
    ? { outcome: "auto_approved", lines: [["Will be approved at once."], ...riskLines(foreseen)] }
    : {
        outcome: "needs_approval",
        lines: [...stageLines(foreseen), ...(await answerTimeLines(context, input)), ...riskLines(foreseen)],
      };
}

function refusedPreview(context: ChatContext, refusal: Parameters<typeof refusalText>[0]): Preview {
  const [first = [], ...others] = refusalText(refusal, prefixOf(context));
  return { outcome: "refused", lines: [["Not possible: ", ...first], ...others] };
}

function stageLines({ stages, approvalWindow }: Foreseen): readonly Line[] {
  const stageTexts = stages.map(({ stage, required, approvers }): Line => {
    const names = namesLine(approvers.map(({ name }) => name));
    const subject = stages.length === 1 ? "Needs " : `Stage ${stage} needs `;
    return [`${subject}${required} of ${approvers.length}: `, ...names, "."];
  });
  const window: readonly Line[] =
    approvalWindow === null
      ? []
      : [[`Undecided after ${durationWords(approvalWindow)}, it times out; nothing is given by silence.`]];
  return [...stageTexts, ...window];
}

async function answerTimeLines(context: ChatContext, { scopes }: RequestInput): Promise<readonly Line[]> {
  const usual = await context.services.catalogSearch.usualAnswerMs(scopes);
  if (usual === undefined) return [];
  return [
    [usual < minuteMs ? "Usually answered within a minute." : `Usually answered in ${timeLeftWords(usual)}.`],
  ];
}

function riskLines({ risk }: Foreseen): readonly Line[] {
  return risk === null ? [] : [["Risk ", ...riskLine(risk)]];
}

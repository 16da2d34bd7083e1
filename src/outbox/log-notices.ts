import type { NoticeKind } from "../core/effects.ts";
import type { Runner } from "./runners.ts";

export interface NoticeLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

const loud: ReadonlySet<NoticeKind> = new Set(["break_glass_used", "review_overdue", "break_glass_reviewed"]);

/** Tells the log what people are to be told: the surface that is always there, for the operator and their collectors. */
export function createLogNotices(log: NoticeLog): Runner<"notify"> {
  return {
    async run({ notice, requestId, to, channels }) {
      const facts = { notice, request: requestId, to, channels };
      if (loud.has(notice)) log.warn(facts, "notice");
      else log.info(facts, "notice");
    },
  };
}

/** Tells the log that somebody asks to be linked, with the ids an administrator needs. */
export function createLogLinks(log: NoticeLog): Runner<"tell_link"> {
  return {
    async run({ account, candidateId, to }) {
      log.info({ account, candidate: candidateId, to }, "somebody asks to be linked");
    },
  };
}

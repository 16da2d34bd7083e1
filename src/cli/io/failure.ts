import { exitCodes, type ExitName } from "./exit-codes.ts";

/** Why a command ends without having done what it was told: one sentence for a person, and a code for scripts. */
export class Failure extends Error {
  override readonly name = "Failure";
  /** The API's code of the refusal, or one of our own such as `unreachable`. */
  readonly code: string;
  readonly exitCode: number;
  /** The problem document, as it was answered; undefined when the service did not say anything. */
  readonly problem: string | undefined;

  /** `detail` says what is wrong and what to do. `exit`: 128 + n after a signal. */
  constructor(exit: ExitName | number, code: string, detail: string, problem?: string) {
    super(detail);
    this.code = code;
    this.exitCode = typeof exit === "number" ? exit : exitCodes[exit].code;
    this.problem = problem;
  }
}

/** The command line or a setting is wrong. */
export function misuse(detail: string): Failure {
  return new Failure("usage", "usage", detail);
}

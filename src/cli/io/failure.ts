import { exitCodes, type ExitName } from "./exit-codes.ts";

/** Why a command failed: a sentence for a person, and a code for scripts. */
export class Failure extends Error {
  override readonly name = "Failure";
  /** The problem code of the API, or one of the CLI such as `unreachable`. */
  readonly code: string;
  readonly exitCode: number;
  /** The problem document of the response, if there is one. */
  readonly problem: string | undefined;

  /** `detail` says what happened and what to do. `exit` is 128 + n after a signal. */
  constructor(exit: ExitName | number, code: string, detail: string, problem?: string) {
    super(detail);
    this.code = code;
    this.exitCode = typeof exit === "number" ? exit : exitCodes[exit].code;
    this.problem = problem;
  }
}

/** The failure for a wrong command line or setting. */
export function misuse(detail: string): Failure {
  return new Failure("usage", "usage", detail);
}

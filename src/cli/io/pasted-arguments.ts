import { removeJoiners } from "../../wording/pasted-text.ts";

/** The arguments without marks that show nothing; those of another program, behind `--`, are left as they are. */
export function pastedArguments(args: readonly string[]): readonly string[] {
  const end = args.indexOf("--");
  return args.map((one, index) => (end === -1 || index < end ? removeJoiners(one) : one));
}

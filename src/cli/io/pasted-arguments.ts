import { removeJoiners } from "../../wording/pasted-text.ts";

/** Removes invisible characters from arguments, except after `--`, where another program's arguments begin. */
export function pastedArguments(args: readonly string[]): readonly string[] {
  const end = args.indexOf("--");
  return args.map((text, index) => (end === -1 || index < end ? removeJoiners(text) : text));
}

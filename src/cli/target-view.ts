import type { CredentialTarget } from "./answers.ts";
import type { Outside } from "./outside.ts";
import { fields } from "./table.ts";
import { shownTime } from "./times.ts";

/** What its owner gets at the targets, once: a block for each. */
export function shownTargets(targets: readonly CredentialTarget[], outside: Outside): string {
  return targets
    .map(
      (one) =>
        `\n${fields([
          ["Target", `${one.connector} (${one.kind})`],
          ["Where", one.where],
          ["User", one.username],
          ["Secret", one.secret],
          ["Save as", certificateFileOf(one)],
          ["Until", shownTime(one.expiresAt, outside)],
          ["Command", one.command],
          ["Problem", one.problem],
        ])}`,
    )
    .join("");
}

/** Under which name the SSH command of a target looks for its certificate. */
function certificateFileOf({ command }: CredentialTarget): string | null {
  const file = /-o CertificateFile=(\S+)/.exec(command ?? "")?.[1];
  return file === undefined ? null : `${file}, where you run the command`;
}

/**
 * The same for a command's environment, and nowhere else: `JIT_TARGET_<NAME>_USERNAME`, `_SECRET`, `_WHERE`, `_COMMAND`,
 * with the connector's name in capitals and `_` for what is no letter or digit. One that would get a name that is taken
 * gets `_2` and so on behind it.
 */
export function targetEnvironment(targets: readonly CredentialTarget[]): Readonly<Record<string, string>> {
  const taken = new Set<string>();
  const environment: Record<string, string> = {};
  for (const one of targets) {
    const plain = `JIT_TARGET_${one.connector.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;
    let name = plain;
    for (let number = 2; taken.has(name); number++) name = `${plain}_${number}`;
    taken.add(name);
    const { username, secret, where, command } = one;
    for (const [part, value] of Object.entries({ username, secret, where, command })) {
      if (value !== null) environment[`${name}_${part.toUpperCase()}`] = value;
    }
  }
  return environment;
}

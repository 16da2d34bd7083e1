import type { CredentialTarget } from "../api/api-schemas.ts";
import { certificateFileOf, saveCommandOf, type TargetWithFile } from "../credentials/certificate-files.ts";
import type { CliIo } from "../io/cli-io.ts";
import { fields } from "./table.ts";
import { formatTime } from "../io/format-time.ts";
import { commandForTools } from "../credentials/tool-environment.ts";

/** What its owner gets at the targets, once: a block for each. */
export function formatTargets(targets: readonly CredentialTarget[], io: CliIo): string {
  return targets
    .map(
      (one) =>
        `\n${fields([
          ["Target", `${one.connector} (${one.kind})`],
          ["Where", one.where],
          ["User", one.username],
          ["Secret", one.secret],
          ["Save as", saveAs(one)],
          ["Save with", saveCommandOf(one)],
          ["Until", formatTime(one.expiresAt, io)],
          ["Command", one.command],
          ["Problem", one.problem],
        ])}`,
    )
    .join("");
}

function saveAs(target: CredentialTarget): string | null {
  const file = certificateFileOf(target);
  return file === null ? null : `${file}, where you run the command`;
}

/**
 * The same for a command's environment: `JIT_TARGET_<NAME>_USERNAME`, `_SECRET`, `_WHERE`, `_COMMAND`, and for SSH
 * `_CERTIFICATE_FILE`, with the connector's name in capitals and `_` for what is no letter or digit. One that would get a name that is taken
 * gets `_2` and so on behind it.
 */
export function targetEnvironment(targets: readonly TargetWithFile[]): Readonly<Record<string, string>> {
  const taken = new Set<string>();
  const environment: Record<string, string> = {};
  for (const one of targets) {
    const plain = `JIT_TARGET_${one.connector.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;
    let name = plain;
    for (let number = 2; taken.has(name); number++) name = `${plain}_${number}`;
    taken.add(name);
    const { username, secret, where, certificateFile: certificate_file = null } = one;
    const parts = { username, secret, where, command: commandForTools(one), certificate_file };
    for (const [part, value] of Object.entries(parts)) {
      if (value !== null) environment[`${name}_${part.toUpperCase()}`] = value;
    }
  }
  return environment;
}

import type { CredentialTarget } from "../api/api-schemas.ts";
import { certificateFileOf, saveCommandOf, type TargetWithFile } from "../credentials/certificate-files.ts";
import type { CliIo } from "../io/cli-io.ts";
import { fields } from "./table.ts";
import { formatTime } from "../io/format-time.ts";
import { commandForTools } from "../credentials/tool-environment.ts";

/** Formats the secrets of the targets, one block each. They are shown once. */
export function formatTargets(targets: readonly CredentialTarget[], io: CliIo): string {
  return targets
    .map(
      (target) =>
        `\n${fields([
          ["Target", `${target.connector} (${target.kind})`],
          ["Where", target.where],
          ["User", target.username],
          ["Secret", target.secret],
          ["Save as", saveAs(target)],
          ["Save with", saveCommandOf(target)],
          ["Until", formatTime(target.expiresAt, io)],
          ["Command", target.command],
          ["Problem", target.problem],
        ])}`,
    )
    .join("");
}

function saveAs(target: CredentialTarget): string | null {
  const file = certificateFileOf(target);
  return file === null ? null : `${file}, where you run the command`;
}

/**
 * The variables for a command: `JIT_TARGET_<NAME>_USERNAME`, `_SECRET`, `_WHERE`, `_COMMAND`, and for SSH
 * `_CERTIFICATE_FILE`. NAME is the connector's name in capitals, with `_` for other characters than letters and digits.
 * If two connectors get the same NAME, the second has `_2` behind it, and so on.
 */
export function targetEnvironment(targets: readonly TargetWithFile[]): Readonly<Record<string, string>> {
  const taken = new Set<string>();
  const environment: Record<string, string> = {};
  for (const target of targets) {
    const prefix = `JIT_TARGET_${target.connector.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;
    let name = prefix;
    for (let number = 2; taken.has(name); number++) name = `${prefix}_${number}`;
    taken.add(name);
    const { username, secret, where, certificateFile: certificate_file = null } = target;
    const parts = { username, secret, where, command: commandForTools(target), certificate_file };
    for (const [part, value] of Object.entries(parts)) {
      if (value !== null) environment[`${name}_${part.toUpperCase()}`] = value;
    }
  }
  return environment;
}

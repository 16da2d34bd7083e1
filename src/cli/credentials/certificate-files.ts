import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CredentialTarget } from "../api/api-schemas.ts";
import { shellWord } from "../io/shell-word.ts";

const certificateOption = /-o CertificateFile=(\S+)/;

/** The file name where the SSH command of a target expects its certificate; null for other targets. */
export function certificateFileOf({ command }: CredentialTarget): string | null {
  const file = certificateOption.exec(command ?? "")?.[1];
  return file === undefined || !/^[\w.-]+$/.test(file) ? null : file;
}

/** The certificate for that file, as one line. */
function certificateOf({ secret }: CredentialTarget): string | null {
  const line = secret?.trim() ?? "";
  return /^[a-z0-9@.-]+-cert-v\d+@openssh\.com [A-Za-z0-9+/=]+( .*)?$/.test(line) ? line : null;
}

/** The shell command that saves the certificate. A certificate is no secret; only its key is. */
export function saveCommandOf(target: CredentialTarget): string | null {
  const [file, certificate] = [certificateFileOf(target), certificateOf(target)];
  if (file === null || certificate === null) return null;
  return `printf '%s\\n' ${shellWord(certificate)} > ${file}`;
}

/** Certificates as files while a command runs, because ssh reads them only from files. */
export interface CertificateFiles {
  /** The targets, each with a command that names its file. */
  readonly targets: readonly TargetWithFile[];
  remove(): void;
}

export type TargetWithFile = CredentialTarget & { readonly certificateFile?: string };

/** Writes certificates to files that only our account can read. @throws a system error when that fails */
export function writeCertificateFiles(targets: readonly CredentialTarget[]): CertificateFiles {
  let folder: string | undefined;
  const remove = (): void => {
    process.off("exit", remove);
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  };
  // Removes the files also when the process exits early.
  process.once("exit", remove);
  try {
    const written = targets.map((target): TargetWithFile => {
      const [name, certificate] = [certificateFileOf(target), certificateOf(target)];
      if (name === null || certificate === null) return target;
      folder ??= mkdtempSync(join(tmpdir(), "jit-run-"));
      const file = join(mkdtempSync(join(folder, "target-")), name);
      writeFileSync(file, `${certificate}\n`, { mode: 0o600, flag: "wx" });
      const option = `-o ${shellWord(`CertificateFile=${file}`)}`;
      const command = target.command?.replace(certificateOption, () => option) ?? null;
      return { ...target, command, certificateFile: file };
    });
    return { targets: written, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

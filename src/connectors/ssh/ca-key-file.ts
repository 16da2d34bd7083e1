import { readFile, stat } from "node:fs/promises";
import type { SshSettings } from "../../core/values/connector-settings.ts";
import { decodeText } from "../../core/values/decode-text.ts";
import { ConnectorFault } from "../../service/ports/connector.ts";
import { readSshCaKey, type SshCaKey } from "./ca-key.ts";

const othersMode = 0o077;

/** The CA's key, read afresh each time, so that it can be replaced. @throws ConnectorFault when it cannot be used. */
export async function loadCaKey(settings: SshSettings, signal: AbortSignal): Promise<SshCaKey> {
  try {
    return await readCaKey(settings);
  } catch (error) {
    throw fileFault(settings.name, error, signal);
  }
}

async function readCaKey({ name, caKeyFile }: SshSettings): Promise<SshCaKey> {
  const refuse = (why: string): never => {
    throw new ConnectorFault("not_permitted", `${name}: the CA key ${caKeyFile} ${why}.`, {
      retryable: false,
      reason: `its CA key ${caKeyFile} ${why}`,
    });
  };
  const { mode } = await stat(caKeyFile);
  if ((mode & othersMode) !== 0) return refuse("can be read by others (chmod 600)");
  const decoded = decodeText(await readFile(caKeyFile));
  if ("problem" in decoded) return refuse(decoded.problem);
  const key = readSshCaKey(decoded.text);
  return key ?? refuse("is no unencrypted ed25519 key");
}

/** Files that cannot be read or written are this kind's unreachable target. What is no such trouble stays as it is. */
export function fileFault(name: string, error: unknown, signal: AbortSignal): unknown {
  if (error instanceof ConnectorFault) return error;
  if (signal.aborted) return new ConnectorFault("timeout", `${name} took too long.`, { retryable: true });
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  if (code === undefined) return error;
  const path = error instanceof Error && "path" in error ? String(error.path) : "a file";
  const reason = `${path} ${Object.hasOwn(reasons, code) ? reasons[code] : `cannot be used (${code})`}`;
  if (code === "EACCES" || code === "EPERM") {
    return new ConnectorFault("not_permitted", `${name}: ${path} may not be used (${code}).`, {
      retryable: false,
      reason,
    });
  }
  return new ConnectorFault("unreachable", `${name}: ${path} cannot be used (${code}).`, {
    retryable: true,
    isTargetDown: true,
    reason,
  });
}

/** By the system's code; for people, after the file's path. */
const reasons: Readonly<Record<string, string>> = {
  EACCES: "may not be read or written by the account of the service",
  EPERM: "may not be read or written by the account of the service",
  ENOENT: "is not there, or its folder is not mounted",
  ENOTDIR: "is not there: a part of its path is no folder",
  EISDIR: "is a folder, and should be a file",
  EROFS: "is on a disk that is read-only",
  ENOSPC: "cannot be written: the disk is full",
  EDQUOT: "cannot be written: the disk is full",
  EIO: "cannot be read or written: the disk is broken",
};

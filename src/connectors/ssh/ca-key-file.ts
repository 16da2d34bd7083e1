import { readFile, stat } from "node:fs/promises";
import type { SshSettings } from "../../core/values/connector-settings.ts";
import { decodeText } from "../../core/values/decode-text.ts";
import { ConnectorFault } from "../../service/ports/connector.ts";
import { readSshCaKey, type SshCaKey } from "./ca-key.ts";

const othersMode = 0o077;

/** Reads the CA key, every time anew so that it can be replaced. @throws ConnectorFault when it is unusable. */
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
  return key ?? refuse("is not an unencrypted ed25519 key");
}

/**
 * Turns a file error into a ConnectorFault, because files are the target of this kind. Other errors stay as they are.
 */
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

/** Explanations by system error code, for people. They follow the path of the file. */
const reasons: Readonly<Record<string, string>> = {
  EACCES: "may not be read or written by the account of the service",
  EPERM: "may not be read or written by the account of the service",
  ENOENT: "does not exist, or its folder is not mounted",
  ENOTDIR: "does not exist: a part of its path is not a folder",
  EISDIR: "is a folder, and should be a file",
  EROFS: "is on a read-only disk",
  ENOSPC: "cannot be written: the disk is full",
  EDQUOT: "cannot be written: the disk is full",
  EIO: "cannot be read or written: the disk is broken",
};

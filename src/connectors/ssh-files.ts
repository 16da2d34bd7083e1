import { readFile, stat } from "node:fs/promises";
import type { SshSettings } from "../core/connector-settings.ts";
import { decodeText } from "../core/decode-text.ts";
import { ConnectorFault } from "../service/connector.ts";
import { readSshCaKey, type SshCaKey } from "./ssh-ca-key.ts";

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
  if (code === "EACCES" || code === "EPERM") {
    return new ConnectorFault("not_permitted", `${name}: a file may not be used (${code}).`, {
      retryable: false,
    });
  }
  return new ConnectorFault("unreachable", `${name}: a file cannot be used (${code}).`, {
    retryable: true,
    isTargetDown: true,
  });
}

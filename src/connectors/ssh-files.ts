import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";
import type { SshSettings } from "../core/connector-settings.ts";
import { ConnectorFault } from "../service/connector.ts";
import type { SerialRange } from "./ssh-krl.ts";
import { readSshCaKey, type SshCaKey } from "./ssh-ca-key.ts";

const hookTimeoutMs = 15_000;
const hookOutputMax = 64 * 1_024;
const othersMode = 0o077;

/** The CA's key, read afresh each time, so that it can be replaced. @throws ConnectorFault when it must not be used. */
export async function loadCaKey({ name, caKeyFile }: SshSettings): Promise<SshCaKey> {
  const refuse = (why: string): never => {
    throw new ConnectorFault("not_permitted", `${name}: the CA key ${caKeyFile} ${why}.`, {
      retryable: false,
    });
  };
  const { mode } = await stat(caKeyFile);
  if ((mode & othersMode) !== 0) return refuse("can be read by others (chmod 600)");
  const key = readSshCaKey(await readFile(caKeyFile, "utf8"));
  return key ?? refuse("is no unencrypted ed25519 key");
}

/** Tells whoever brings the list to the hosts and ends sessions there. Without a shell; success is exit code 0. */
export async function runHook(
  { name, hook, krlFile }: SshSettings,
  object: string,
  [first, last]: SerialRange,
  signal: AbortSignal,
): Promise<void> {
  if (hook === undefined) return;
  try {
    await promisify(execFile)(hook, [object, String(first), String(last), krlFile], {
      timeout: hookTimeoutMs,
      maxBuffer: hookOutputMax,
      killSignal: "SIGKILL",
      signal,
    });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "no code";
    throw new ConnectorFault("refused", `${name}: the hook failed (${code}).`, { retryable: true });
  }
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

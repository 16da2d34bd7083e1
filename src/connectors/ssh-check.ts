import { access, constants, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { SshSettings } from "../core/connector-settings.ts";
import { ConnectorFault, type CheckFinding } from "../service/connector.ts";
import type { Owner } from "./label.ts";
import { shellWord } from "./shell-word.ts";
import { loadCaKey } from "./ssh-files.ts";
import { readLedger, revokedByFile, revokedOf } from "./ssh-ledger.ts";

const readableByAll = 0o444;

/** Looks at our own files; the hosts' are not in reach, so their lines are printed. */
export async function checkSsh(settings: SshSettings, owner: Owner): Promise<readonly CheckFinding[]> {
  const { caKeyFile, krlFile, hook } = settings;
  const key = await loadCaKey(settings).catch(faultOrFileError);
  if (typeof key === "string") {
    const file = shellWord(caKeyFile);
    const fix = `ssh-keygen -t ed25519 -N '' -f ${file}   # if there is none yet\nchmod 600 ${file}`;
    return [{ what: `The CA key can be used: ${key}`, ok: false, fix }];
  }
  const folder = dirname(krlFile);
  const mayWrite = await isAllowed(folder, constants.W_OK | constants.X_OK);
  const { entries } = await readLedger(owner, krlFile);
  const isRevoked = await revokedByFile(krlFile, key.publicBlob);
  const isComplete = isRevoked !== undefined && entries.flatMap(revokedOf).every(isRevoked);
  const isNew = entries.length === 0 && isRevoked === undefined;
  return [
    { what: "The CA key can be used", ok: true },
    finding(`${folder} can be written to`, mayWrite, `chown "$(id -u)" ${shellWord(folder)}`),
    finding(
      isNew ? "The revocation list will be made with the first grant" : "The revocation list is complete",
      isNew || isComplete,
      `rm ${shellWord(krlFile)}   # it is written anew with the next grant`,
    ),
    ...(isNew
      ? []
      : [
          finding(
            "sshd can read the revocation list",
            await isPublic(krlFile),
            `chmod 644 ${shellWord(krlFile)}`,
          ),
        ]),
    ...(hook === undefined
      ? []
      : [
          finding(
            "The hook can be run",
            await isAllowed(hook, constants.X_OK),
            `chmod 755 ${shellWord(hook)}`,
          ),
        ]),
    {
      what: `Every host trusts the CA (TrustedUserCAKeys): ${key.publicLine}`,
      ok: true,
    },
  ];
}

function finding(what: string, ok: boolean, fix: string): CheckFinding {
  return ok ? { what, ok } : { what, ok, fix };
}

function faultOrFileError(error: unknown): string {
  if (error instanceof ConnectorFault) return error.message;
  if (error instanceof Error && "code" in error) return String(error.code);
  throw error;
}

async function isAllowed(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

async function isPublic(path: string): Promise<boolean> {
  return stat(path).then(
    ({ mode }) => (mode & readableByAll) === readableByAll,
    () => false,
  );
}

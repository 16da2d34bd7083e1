import { access, constants, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { SshSettings } from "../core/connector-settings.ts";
import { ConnectorFault, type CheckFinding } from "../service/connector.ts";
import type { Owner } from "./label.ts";
import { finding, notVerified } from "./check-finding.ts";
import { shellWord } from "./shell-word.ts";
import type { SshCaKey } from "./ssh-ca-key.ts";
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
    return [finding(`The CA key can be used: ${key}`, false, fix)];
  }
  const folder = dirname(krlFile);
  const mayWrite = await isAllowed(folder, constants.W_OK | constants.X_OK);
  const { entries } = await readLedger(owner, krlFile);
  const isRevoked = await revokedByFile(krlFile, key.publicBlob);
  const isComplete = isRevoked !== undefined && entries.flatMap(revokedOf).every(isRevoked);
  const isNew = entries.length === 0 && isRevoked === undefined;
  return [
    finding("The CA key can be used", true),
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
    notVerified("That every host trusts the CA", "the hosts are out of reach", trustLines(settings, key)),
  ];
}

/** What has to be on every host, to be compared by hand. */
function trustLines({ krlFile }: SshSettings, { publicLine }: SshCaKey): string {
  return [
    `# the file of TrustedUserCAKeys holds: ${publicLine}`,
    `# the file of RevokedKeys is a fresh copy of ${krlFile}`,
  ].join("\n");
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

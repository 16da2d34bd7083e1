import { access, constants, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { SshSettings } from "../../core/values/connector-settings.ts";
import type { Instant } from "../../core/values/ids.ts";
import { formatInstant } from "../../core/values/time.ts";
import { ConnectorFault, type CheckFinding } from "../../service/ports/connector.ts";
import type { Owner } from "../shared/label.ts";
import { finding, notVerified } from "../shared/check-finding.ts";
import { shellWord } from "../shared/shell-word.ts";
import { loadCaKey } from "./ca-key-file.ts";
import { isListComplete, ledgerFile, readLedger, readRevocations, type SshLedger } from "./ledger.ts";

const readableByAll = 0o444;

/** Checks our own files. The hosts are out of reach, so the required content of their files is printed. */
export async function checkSsh(
  settings: SshSettings,
  owner: Owner,
  now: Instant,
  signal: AbortSignal,
): Promise<readonly CheckFinding[]> {
  const { krlFile, hook } = settings;
  const folder = dirname(krlFile);
  const mayWrite = await isAllowed(folder, constants.W_OK | constants.X_OK);
  const ledger = await readLedger(owner, krlFile).catch(faultOnly);
  const key = await loadCaKey(settings, signal).catch(faultOnly);
  return [
    key instanceof ConnectorFault
      ? finding(key.message, false, caKeyFix(settings.caKeyFile))
      : finding("The CA key can be used", true),
    finding(`${folder} can be written to`, mayWrite, `chown "$(id -u)" ${shellWord(folder)}`),
    ...(ledger instanceof ConnectorFault
      ? [finding(ledger.message, false, ledgerFix(krlFile, ledger))]
      : await listFindings(krlFile, ledger)),
    ...(hook === undefined ? [] : await hookFindings(hook)),
    ...(key instanceof ConnectorFault || ledger instanceof ConnectorFault
      ? []
      : [hostFinding(settings, key.publicLine, ledger, now)]),
  ];
}

function caKeyFix(caKeyFile: string): string {
  const file = shellWord(caKeyFile);
  return `ssh-keygen -t ed25519 -N '' -f ${file}   # only if there is no key yet\nchmod 600 ${file}`;
}

/** A lost ledger loses no revocation: those in the revocation list are carried over into a new ledger. */
function ledgerFix(krlFile: string, { code }: ConnectorFault): string {
  const file = shellWord(ledgerFile(krlFile));
  if (code === "foreign_object") {
    return `# give this connector another krlFile, or, if that installation is gone for good, move its ledger away:\nmv ${file} ${file}.previous`;
  }
  return `# restore ${ledgerFile(krlFile)} from a backup, or, if it is damaged, move it away:\nmv ${file} ${file}.damaged`;
}

async function listFindings(krlFile: string, ledger: SshLedger): Promise<readonly CheckFinding[]> {
  const krl = await readRevocations(krlFile);
  if (ledger.version === 0 && krl === undefined) {
    return [finding("The revocation list will be made with the first grant", true)];
  }
  return [
    finding(
      "The revocation list is complete",
      isListComplete(ledger, krl),
      `# The service writes it anew within a minute; then copy it to the hosts. Do not remove it:\n` +
        `# sshd lets nobody in while the file of RevokedKeys is missing.`,
    ),
    finding(
      "sshd can read the revocation list",
      await isWorldReadable(krlFile),
      `chmod 644 ${shellWord(krlFile)}`,
    ),
  ];
}

async function hookFindings(hook: string): Promise<readonly CheckFinding[]> {
  const isExecutable = await isAllowed(hook, constants.X_OK);
  return [
    finding("The hook can be run", isExecutable, `chmod 755 ${shellWord(hook)}`),
    notVerified("That the hook reaches every host", "running it would end sessions"),
  ];
}

/** What must be on every host, to be compared by hand. During a key rotation there is more than one CA. */
function hostFinding(
  { krlFile }: SshSettings,
  current: string,
  { entries }: SshLedger,
  now: Instant,
): CheckFinding {
  const lastByCa = new Map<string, Instant>();
  for (const { ca, state, until } of entries) {
    if (ca === null || ca === current || state !== "live" || until <= now) continue;
    const known = lastByCa.get(ca);
    if (known === undefined || known < until) lastByCa.set(ca, until);
  }
  const lines = [
    "# the file of TrustedUserCAKeys holds:",
    current,
    ...[...lastByCa].map(([ca, until]) => `${ca} # an earlier CA, needed until ${formatInstant(until)}`),
    `# the file of RevokedKeys is a fresh copy of ${krlFile}`,
  ];
  const what = "That every host trusts the CA and has a fresh revocation list";
  return notVerified(what, "the hosts are out of reach", lines.join("\n"));
}

function faultOnly(error: unknown): ConnectorFault {
  if (error instanceof ConnectorFault) return error;
  throw error;
}

async function isAllowed(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

async function isWorldReadable(path: string): Promise<boolean> {
  return stat(path).then(
    ({ mode }) => (mode & readableByAll) === readableByAll,
    () => false,
  );
}

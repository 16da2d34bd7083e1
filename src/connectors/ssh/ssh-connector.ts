import { resolve } from "node:path";
import { actionsOn, servedScopes, type SshSettings } from "../../core/values/connector-settings.ts";
import { earliest, durationMaxMs, minuteMs, plus } from "../../core/values/time.ts";
import { instant, type Instant } from "../../core/values/ids.ts";
import { actionOf } from "../../core/values/scopes.ts";
import {
  ConnectorFault,
  type Connector,
  type IssuedTarget,
  type ListedObject,
  type Rights,
  type TargetSpec,
} from "../../service/ports/connector.ts";
import type { ConnectorPorts } from "../shared/connector-ports.ts";
import { objectName, type Owner } from "../shared/label.ts";
import { shellWord } from "../shared/shell-word.ts";
import { signCertificate } from "./certificate.ts";
import { checkSsh } from "./check.ts";
import { coveredBy } from "./carried-ranges.ts";
import { loadCaKey } from "./ca-key-file.ts";
import { runHook } from "./hook.ts";
import {
  isListComplete,
  readLedger,
  readRevocations,
  revokedOf,
  writeLedger,
  type LedgerEntry,
} from "./ledger.ts";
import { createSshRegistry } from "./registry.ts";
import { parseSshPublicKey, type SshPublicKey } from "./key-fields.ts";
import { nextSerial, serialsOf } from "./serials.ts";
import { explainedFault } from "../shared/explained-fault.ts";

/** How far the clocks of hosts may be behind ours. */
const validBeforeNowMs = minuteMs;

/** Issues user certificates of our own CA. A take-back adds them to the revocation list. */
export function createSshConnector(settings: SshSettings, { instance, now }: ConnectorPorts): Connector {
  const { name, kind, krlFile } = settings;
  const owner: Owner = { instance, connector: name };
  const { withLock, update } = createSshRegistry(settings, owner, now);
  return {
    name,
    kind,
    place: `${resolve(krlFile)}, certificates of ${resolve(settings.caKeyFile)}`,
    needsSshPublicKey: true,
    serves(scopes) {
      const served = servedScopes(settings, scopes);
      return served.length === 0 ? undefined : { scopes: served, rights: rightsOf(settings, served) };
    },
    actionsOn: (resource) => actionsOn(settings, resource),
    objectOf: (grantId) => objectName("jit_", name, grantId),
    async provision(spec, signal) {
      // Fail before anything is recorded if certificates cannot be signed.
      await loadCaKey(settings, signal);
      await update(signal, (entries) => ({
        entries: withProvisioned(entries, spec, name),
        result: undefined,
      }));
    },
    async issue(spec, { expiresAt, sshPublicKey }, signal) {
      const key = keyOf(name, sshPublicKey);
      const ca = await loadCaKey(settings, signal);
      const serial = await update(signal, (entries) =>
        withNextSerial(entries, spec, { expiresAt, ca: ca.publicLine }, name),
      );
      const at = now();
      const secret = signCertificate(ca, key, {
        serial,
        keyId: `${spec.grantId}:${spec.subjectId}`,
        principals: spec.rights["principals"] ?? [],
        validAfter: earliest(plus(at, -validBeforeNowMs), expiresAt),
        validBefore: expiresAt,
        ...optional("forceCommand", spec.rights["forceCommand"]?.[0]),
        ...optional("sourceAddresses", spec.rights["sourceAddress"]),
      });
      return issued(settings, spec, key, secret, expiresAt);
    },
    async takeBack({ object, grantId }, signal) {
      const latest = plus(now(), durationMaxMs);
      const isEnded = await update(signal, (entries) => {
        const found = entries.find((entry) => entry.object === object);
        // Revoked even without a ledger entry, because the ledger may have been lost.
        const entry = found ?? { object, grantId, notAfter: latest, serial: null, until: latest, ca: null };
        const state = found?.state === "ended" ? "ended" : "ending";
        return { entries: withEntry(entries, { ...entry, state }), result: state === "ended" };
      });
      if (isEnded) return;
      // Outside the lock: a slow hook must not delay the claim or the end of another grant.
      await runHook(settings, object, serialsOf(object), signal);
      await update(signal, (entries) => ({
        entries: entries.map((entry) => (entry.object === object ? { ...entry, state: "ended" } : entry)),
        result: undefined,
      }));
    },
    listManaged: (signal) => withLock(signal, () => listAndRepair(owner, krlFile, now())),
    check: (signal) => withLock(signal, () => checkSsh(settings, owner, now(), signal)),
    close: async () => {},
  };
}

function rightsOf(
  { actions, forceCommand, sourceAddress }: SshSettings,
  served: TargetSpec["scopes"],
): Rights {
  const principals = served.flatMap((scope) => actions[actionOf(scope)]?.principals ?? []);
  return {
    principals: [...new Set(principals)],
    ...optional("forceCommand", forceCommand === undefined ? undefined : [forceCommand]),
    ...optional("sourceAddress", sourceAddress),
  };
}

/** An object with this field, or without it when the value is undefined. */
function optional<Key extends string, T>(key: Key, value: T | undefined): { readonly [K in Key]?: T } {
  const some: { [K in Key]?: T } = {};
  if (value !== undefined) some[key] = value;
  return some;
}

function withEntry(entries: readonly LedgerEntry[], entry: LedgerEntry): readonly LedgerEntry[] {
  return [...entries.filter(({ object }) => object !== entry.object), entry];
}

function withProvisioned(entries: readonly LedgerEntry[], spec: TargetSpec, name: string) {
  const { object, grantId, notAfter } = spec;
  const found = entries.find((entry) => entry.object === object);
  if (found !== undefined && found.state !== "live") throw alreadyEnded(name, object);
  const entry = found ?? { object, grantId, state: "live", serial: null, until: notAfter, ca: null };
  return withEntry(entries, { ...entry, notAfter, until: instant(Math.max(entry.until, notAfter)) });
}

function withNextSerial(
  entries: readonly LedgerEntry[],
  { object }: TargetSpec,
  { expiresAt, ca }: { readonly expiresAt: Instant; readonly ca: string },
  name: string,
) {
  const found = entries.find((entry) => entry.object === object);
  if (found?.state !== "live") throw alreadyEnded(name, object);
  const serial = nextSerial(serialsOf(object), found.serial ?? undefined);
  if (serial === undefined) throw alreadyEnded(name, object);
  const until = instant(Math.max(found.until, expiresAt));
  return {
    entries: withEntry(entries, { ...found, notAfter: expiresAt, serial, until, ca }),
    result: serial,
  };
}

function alreadyEnded(name: string, object: string): ConnectorFault {
  return explainedFault("refused", name, `${object} does not exist, or was taken back`, { retryable: false });
}

function keyOf(name: string, line: string | undefined): SshPublicKey {
  const key = line === undefined ? undefined : parseSshPublicKey(line);
  if (key !== undefined) return key;
  const why = line === undefined ? "needs an sshPublicKey" : "cannot use this sshPublicKey";
  throw new ConnectorFault(
    "invalid_input",
    `${name} ${why}: ed25519, ECDSA or RSA of at least 2048 bits, as in a .pub file.`,
    { retryable: false },
  );
}

function issued(
  { name, kind, hosts, user }: SshSettings,
  spec: TargetSpec,
  key: SshPublicKey,
  secret: string,
  expiresAt: Instant,
): IssuedTarget {
  const username = user ?? spec.rights["principals"]?.[0] ?? "";
  const host = hosts.find((pattern) => !/[*?]/.test(pattern));
  const certificate = `-o CertificateFile=${spec.object}-cert.pub`;
  const identity = `-i ~/.ssh/${identityFile(key.type)}`;
  return {
    connector: name,
    kind,
    where: hosts.join(", "),
    username,
    secret,
    expiresAt,
    command: host === undefined ? null : `ssh ${identity} ${certificate} ${shellWord(`${username}@${host}`)}`,
  };
}

/** The default file name of ssh-keygen for this type of key. */
function identityFile(type: string): string {
  const algorithm = type.includes("ed25519") ? "ed25519" : type === "ssh-rsa" ? "rsa" : "ecdsa";
  return `id_${algorithm}${type.startsWith("sk-") ? "_sk" : ""}`;
}

/** Lists the ledger, and rewrites an incomplete revocation list: with it, hosts would accept revoked certificates. */
async function listAndRepair(owner: Owner, krlFile: string, now: Instant): Promise<readonly ListedObject[]> {
  const ledger = await readLedger(owner, krlFile);
  const krl = await readRevocations(krlFile);
  const isRevoked = krl && coveredBy(krl.ranges);
  const objects = ledger.entries.flatMap((entry) => listed(entry, isRevoked));
  const hasLedger = ledger.version > 0;
  if (hasLedger && !isListComplete(ledger, krl)) {
    await writeLedger(owner, krlFile, ledger, ledger.entries, now);
  }
  return objects;
}

function listed(
  entry: LedgerEntry,
  isRevoked: ReturnType<typeof coveredBy> | undefined,
): readonly ListedObject[] {
  const isOutdated = isRevoked === undefined || !revokedOf(entry).every(isRevoked);
  if (entry.state === "ended" && !isOutdated) return [];
  const drift = isOutdated ? ["The revocation list is missing, or lacks certificates of it."] : [];
  const { object, grantId, notAfter } = entry;
  return [{ object, grantId, notAfter, drift }];
}

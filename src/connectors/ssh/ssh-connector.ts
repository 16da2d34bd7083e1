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

/** Hosts' clocks may be behind ours by this much. */
const validBeforeNowMs = minuteMs;

/** User certificates of our own CA. What is taken back is in the revocation list from then on. */
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
      // Nothing is recorded that could not be signed.
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
        ...oneOf("forceCommand", spec.rights["forceCommand"]?.[0]),
        ...oneOf("sourceAddresses", spec.rights["sourceAddress"]),
      });
      return issued(settings, spec, key, secret, expiresAt);
    },
    async takeBack({ object, grantId }, signal) {
      const latest = plus(now(), durationMaxMs);
      const isTold = await update(signal, (entries) => {
        const found = entries.find((one) => one.object === object);
        // Also what the ledger knows nothing of is revoked: somebody may have lost the ledger.
        const entry = found ?? { object, grantId, notAfter: latest, serial: null, until: latest, ca: null };
        const state = found?.state === "ended" ? "ended" : "ending";
        return { entries: withEntry(entries, { ...entry, state }), result: state === "ended" };
      });
      if (isTold) return;
      // Outside the turn: a slow hook must not delay the claim or the end of another grant.
      await runHook(settings, object, serialsOf(object), signal);
      await update(signal, (entries) => ({
        entries: entries.map((one) => (one.object === object ? { ...one, state: "ended" } : one)),
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
    ...oneOf("forceCommand", forceCommand === undefined ? undefined : [forceCommand]),
    ...oneOf("sourceAddress", sourceAddress),
  };
}

function oneOf<Key extends string, T>(key: Key, value: T | undefined): { readonly [K in Key]?: T } {
  const some: { [K in Key]?: T } = {};
  if (value !== undefined) some[key] = value;
  return some;
}

function withEntry(entries: readonly LedgerEntry[], entry: LedgerEntry): readonly LedgerEntry[] {
  return [...entries.filter(({ object }) => object !== entry.object), entry];
}

function withProvisioned(entries: readonly LedgerEntry[], spec: TargetSpec, name: string) {
  const { object, grantId, notAfter } = spec;
  const found = entries.find((one) => one.object === object);
  if (found !== undefined && found.state !== "live") throw alreadyOver(name, object);
  const entry = found ?? { object, grantId, state: "live", serial: null, until: notAfter, ca: null };
  return withEntry(entries, { ...entry, notAfter, until: instant(Math.max(entry.until, notAfter)) });
}

function withNextSerial(
  entries: readonly LedgerEntry[],
  { object }: TargetSpec,
  { expiresAt, ca }: { readonly expiresAt: Instant; readonly ca: string },
  name: string,
) {
  const found = entries.find((one) => one.object === object);
  if (found?.state !== "live") throw alreadyOver(name, object);
  const serial = nextSerial(serialsOf(object), found.serial ?? undefined);
  if (serial === undefined) throw alreadyOver(name, object);
  const until = instant(Math.max(found.until, expiresAt));
  return {
    entries: withEntry(entries, { ...found, notAfter: expiresAt, serial, until, ca }),
    result: serial,
  };
}

function alreadyOver(name: string, object: string): ConnectorFault {
  return explainedFault("refused", name, `${object} is not there, or was taken back`, { retryable: false });
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
  const host = hosts.find((one) => !/[*?]/.test(one));
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

/** Where ssh-keygen puts a key of this type when it is not told otherwise. */
function identityFile(type: string): string {
  const algorithm = type.includes("ed25519") ? "ed25519" : type === "ssh-rsa" ? "rsa" : "ecdsa";
  return `id_${algorithm}${type.startsWith("sk-") ? "_sk" : ""}`;
}

/** What the ledger has. A list that lacks anything of it is written anew: hosts would let in what is revoked, or nobody. */
async function listAndRepair(owner: Owner, krlFile: string, now: Instant): Promise<readonly ListedObject[]> {
  const ledger = await readLedger(owner, krlFile);
  const krl = await readRevocations(krlFile);
  const isRevoked = krl && coveredBy(krl.ranges);
  const objects = ledger.entries.flatMap((entry) => listed(entry, isRevoked));
  const isWritten = ledger.version > 0;
  if (isWritten && !isListComplete(ledger, krl)) {
    await writeLedger(owner, krlFile, ledger, ledger.entries, now);
  }
  return objects;
}

function listed(
  entry: LedgerEntry,
  isRevoked: ReturnType<typeof coveredBy> | undefined,
): readonly ListedObject[] {
  const behind = isRevoked === undefined || !revokedOf(entry).every(isRevoked);
  if (entry.state === "ended" && !behind) return [];
  const drift = behind ? ["The revocation list is missing, or lacks certificates of it."] : [];
  const { object, grantId, notAfter } = entry;
  return [{ object, grantId, notAfter, drift }];
}

import { resolve } from "node:path";
import { servedScopes, type SshSettings } from "../core/connector-settings.ts";
import { earliest, durationMaxMs, minuteMs, plus } from "../core/time.ts";
import { instant, type Instant } from "../core/ids.ts";
import { actionOf } from "../core/scopes.ts";
import {
  ConnectorFault,
  type Connector,
  type IssuedTarget,
  type ListedObject,
  type Rights,
  type TargetOrder,
} from "../service/connector.ts";
import type { ConnectorPorts } from "./connector-ports.ts";
import { objectName, type Owner } from "./label.ts";
import { shellWord } from "./shell-word.ts";
import { signCertificate } from "./ssh-certificate.ts";
import { checkSsh } from "./ssh-check.ts";
import { loadCaKey, runHook } from "./ssh-files.ts";
import { readLedger, revokedByFile, revokedOf, type LedgerEntry, type Revoked } from "./ssh-ledger.ts";
import { createSshRegistry } from "./ssh-registry.ts";
import { parseSshPublicKey, type SshPublicKey } from "./ssh-public-key.ts";
import { nextSerial, serialsOf } from "./ssh-serials.ts";

/** Hosts' clocks may be behind ours by this much. */
const validBeforeNowMs = minuteMs;

/** User certificates of our own CA. What is taken back is in the revocation list from then on. */
export function createSshConnector(settings: SshSettings, { instance, now }: ConnectorPorts): Connector {
  const { name, kind, krlFile } = settings;
  const owner: Owner = { instance, connector: name };
  const { inTurn, update } = createSshRegistry(settings, owner, now);
  return {
    name,
    kind,
    // Certificates of another CA would not be revoked by this list.
    place: `${resolve(krlFile)}, certificates of ${resolve(settings.caKeyFile)}`,
    needsSshPublicKey: true,
    serves(scopes) {
      const served = servedScopes(settings, scopes);
      return served.length === 0 ? undefined : { scopes: served, rights: rightsOf(settings, served) };
    },
    objectOf: (grantId) => objectName("jit_", name, grantId),
    provision: (order, signal) =>
      update(signal, (entries) => ({ entries: withProvisioned(entries, order, name), result: undefined })),
    async issue(order, { expiresAt, sshPublicKey }, signal) {
      const key = keyOf(name, sshPublicKey);
      const serial = await update(signal, (entries) => withNextSerial(entries, order, expiresAt, name));
      const ca = await inTurn(signal, () => loadCaKey(settings));
      const at = now();
      const secret = signCertificate(ca, key, {
        serial,
        keyId: `${order.grantId}:${order.subjectId}`,
        principals: order.rights["principals"] ?? [],
        validAfter: earliest(plus(at, -validBeforeNowMs), expiresAt),
        validBefore: expiresAt,
        ...oneOf("forceCommand", order.rights["forceCommand"]?.[0]),
        ...oneOf("sourceAddresses", order.rights["sourceAddress"]),
      });
      return issued(settings, order, key, secret, expiresAt);
    },
    async takeBack({ object, grantId }, signal) {
      const latest = plus(now(), durationMaxMs);
      const isTold = await update(signal, (entries) => {
        const found = entries.find((one) => one.object === object);
        // Also what the ledger knows nothing of is revoked: somebody may have lost the ledger.
        const entry = found ?? { object, grantId, notAfter: latest, serial: null, until: latest };
        const state = found?.state === "ended" ? "ended" : "ending";
        return { entries: withEntry(entries, { ...entry, state }), result: state === "ended" };
      });
      if (isTold) return;
      await inTurn(signal, () => runHook(settings, object, serialsOf(object), signal));
      await update(signal, (entries) => ({
        entries: entries.map((one) => (one.object === object ? { ...one, state: "ended" } : one)),
        result: undefined,
      }));
    },
    listOurs: (signal) =>
      inTurn(signal, async () => {
        const ca = await loadCaKey(settings);
        const { entries } = await readLedger(owner, krlFile);
        const isRevoked = await revokedByFile(krlFile, ca.publicBlob);
        return entries.flatMap((entry) => listed(entry, isRevoked));
      }),
    check: (signal) => inTurn(signal, () => checkSsh(settings, owner)),
    close: async () => {},
  };
}

function rightsOf(
  { actions, forceCommand, sourceAddress }: SshSettings,
  served: TargetOrder["scopes"],
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

function withProvisioned(entries: readonly LedgerEntry[], order: TargetOrder, name: string) {
  const { object, grantId, notAfter } = order;
  const found = entries.find((one) => one.object === object);
  if (found !== undefined && found.state !== "live") throw alreadyOver(name, object);
  const entry = found ?? { object, grantId, state: "live", serial: null, until: notAfter };
  return withEntry(entries, { ...entry, notAfter, until: instant(Math.max(entry.until, notAfter)) });
}

function withNextSerial(
  entries: readonly LedgerEntry[],
  { object }: TargetOrder,
  expiresAt: Instant,
  name: string,
) {
  const found = entries.find((one) => one.object === object);
  if (found?.state !== "live") throw alreadyOver(name, object);
  const serial = nextSerial(serialsOf(object), found.serial ?? undefined);
  if (serial === undefined) throw alreadyOver(name, object);
  const until = instant(Math.max(found.until, expiresAt));
  return { entries: withEntry(entries, { ...found, notAfter: expiresAt, serial, until }), result: serial };
}

function alreadyOver(name: string, object: string): ConnectorFault {
  return new ConnectorFault("refused", `${name}: ${object} is not there, or was taken back.`, {
    retryable: false,
  });
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
  order: TargetOrder,
  key: SshPublicKey,
  secret: string,
  expiresAt: Instant,
): IssuedTarget {
  const username = user ?? order.rights["principals"]?.[0] ?? "";
  const host = hosts.find((one) => !/[*?]/.test(one));
  const certificate = `-o CertificateFile=${order.object}-cert.pub`;
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

function listed(entry: LedgerEntry, isRevoked: Revoked | undefined): readonly ListedObject[] {
  const behind = isRevoked === undefined || !revokedOf(entry).every(isRevoked);
  if (entry.state === "ended" && !behind) return [];
  const drift = behind ? ["The revocation list is missing, or lacks certificates of it."] : [];
  const { object, grantId, notAfter } = entry;
  return [{ object, grantId, notAfter, drift }];
}

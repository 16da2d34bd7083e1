import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatKrl, readKrl } from "../../../src/connectors/ssh/krl.ts";
import { readSshCaKey } from "../../../src/connectors/ssh/ca-key.ts";
import { signCertificate } from "../../../src/connectors/ssh/certificate.ts";
import { parseSshPublicKey } from "../../../src/connectors/ssh/key-fields.ts";
import { serialsOf } from "../../../src/connectors/ssh/serials.ts";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { instant } from "../../../src/core/values/ids.ts";
import { parseInstant } from "../../../src/core/values/time.ts";
import { leavesNothingBehind, temporaryFolder } from "../../support/leftover-processes.ts";
import { hasKeygen, keygen, newKey } from "../support/ssh-harness.ts";

leavesNothingBehind();

const missing = hasKeygen() ? "" : " (skipped: ssh-keygen is not installed)";
const at = assertPresent(parseInstant("2030-01-02T03:04:05Z"), "instant");

function readyCa(folder: string) {
  newKey(join(folder, "ca"));
  return assertPresent(readSshCaKey(readFileSync(join(folder, "ca"), "utf8")), "a CA");
}

describe.skipIf(!hasKeygen())(`formats as read by OpenSSH${missing}`, () => {
  test.each([
    ["ed25519", undefined],
    ["rsa", "2048"],
    ["ecdsa", "256"],
    ["ecdsa", "384"],
    ["ecdsa", "521"],
  ])("a certificate for %s %s has the requested content and a valid signature", (type, bits) => {
    const folder = temporaryFolder();
    const ca = readyCa(folder);
    const key = assertPresent(parseSshPublicKey(newKey(join(folder, "user"), type, bits)), "a key");
    const certificate = signCertificate(ca, key, {
      serial: 9_223_372_036_854_775_807n,
      keyId: "gr_x:id_y",
      principals: ["one", "two, with a comma", "drei 🔑"],
      validAfter: at,
      validBefore: instant(at + 3_600_000),
      forceCommand: `/usr/bin/true "a b"`,
      sourceAddresses: ["10.0.0.0/8", "2001:db8::/32"],
    });
    const file = join(folder, "user-cert.pub");
    writeFileSync(file, `${certificate}\n`);
    const { status, output } = keygen("-L", "-f", file);
    expect(status).toBe(0);
    for (const line of [
      /user certificate/,
      /Key ID: "gr_x:id_y"/,
      /Serial: 9223372036854775807/,
      /Valid: from 2030-01-02T03:04:05 to 2030-01-02T04:04:05/,
      /\n +one\n +two, with a comma\n/,
      /force-command \/usr\/bin\/true "a b"/,
      /source-address 10\.0\.0\.0\/8,2001:db8::\/32/,
      /Extensions: \n +permit-pty\n?$/,
    ]) {
      expect(output).toMatch(line);
    }
  });

  test("a key on a security key gets a certificate of its own type", () => {
    const folder = temporaryFolder();
    const ca = readyCa(folder);
    const plain = assertPresent(parseSshPublicKey(newKey(join(folder, "user"))), "a key");
    const application = Buffer.from("\0\0\0\x04ssh:", "latin1");
    const key = { type: "sk-ssh-ed25519@openssh.com", fields: Buffer.concat([plain.fields, application]) };
    const file = join(folder, "user-cert.pub");
    const terms = {
      serial: 1n,
      keyId: "k",
      principals: ["p"],
      validAfter: at,
      validBefore: instant(at + 1_000),
    };
    writeFileSync(file, `${signCertificate(ca, key, terms)}\n`);
    expect(keygen("-L", "-f", file).output).toContain("sk-ssh-ed25519-cert-v01@openssh.com user certificate");
  });

  test("a revocation list revokes exactly its serials, including the first and the last", () => {
    const folder = temporaryFolder();
    const ca = readyCa(folder);
    const key = assertPresent(parseSshPublicKey(newKey(join(folder, "user"))), "a key");
    const [first, last] = serialsOf("jit_one");
    const krl = join(folder, "krl");
    writeFileSync(krl, formatKrl([[first, last], serialsOf("jit_two")], { version: 7, at }));
    const isRevoked = (serial: bigint): boolean => {
      const file = join(folder, `${serial}-cert.pub`);
      const terms = {
        serial,
        keyId: "k",
        principals: ["p"],
        validAfter: at,
        validBefore: instant(at + 1_000),
      };
      writeFileSync(file, `${signCertificate(ca, key, terms)}\n`);
      return keygen("-Q", "-f", krl, file).output.includes("REVOKED");
    };
    expect([first - 1n, first, first + 1n, last, last + 1n].map(isRevoked)).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
    writeFileSync(krl, formatKrl([], { version: 8, at }));
    expect([first, last].map(isRevoked)).toEqual([false, false]);
  });

  test("a CA key is read in the formats of ssh-keygen and openssl, and nothing else is accepted", () => {
    const folder = temporaryFolder();
    const line = newKey(join(folder, "ca"));
    const text = readFileSync(join(folder, "ca"), "utf8");
    expect(readSshCaKey(text)?.publicLine).toBe(line.split(" ").slice(0, 2).join(" "));
    keygen("-q", "-p", "-N", "secret", "-f", join(folder, "ca"));
    expect(readSshCaKey(readFileSync(join(folder, "ca"), "utf8"))).toBeUndefined();
    newKey(join(folder, "rsa"), "rsa", "2048");
    for (const other of [
      readFileSync(join(folder, "rsa"), "utf8"),
      "",
      "junk",
      text.slice(0, 200),
      `${text.slice(0, 150)}\n-----END`,
    ]) {
      expect(readSshCaKey(other)).toBeUndefined();
    }
  });
});

test("a revocation list is read back as written, and invalid data never throws", () => {
  const ranges = fc
    .uniqueArray(fc.string({ minLength: 1 }), { maxLength: 20 })
    .map((names) => names.map(serialsOf));
  fc.assert(
    fc.property(ranges, (some) => {
      const bytes = formatKrl(some, { version: 1, at });
      expect(readKrl(bytes)).toEqual({ ranges: some, appliesToEveryCa: true });
      for (let end = 0; end < bytes.length; end++) readKrl(bytes.subarray(0, end));
    }),
    { numRuns: 20 },
  );
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void readKrl(Buffer.from(bytes))));
});

test("anything but a strong public key is rejected", () => {
  const ed25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIPGkDhQkm2d8z0lRzGg9o9yjV4c0H6hm4bJ4kNCsEvVB";
  expect(parseSshPublicKey(`ssh-ed25519 ${ed25519} me@here`)?.type).toBe("ssh-ed25519");
  for (const line of [
    "",
    "ssh-ed25519",
    `ssh-rsa ${ed25519}`,
    `ssh-ed25519 ${ed25519.slice(0, -4)}`,
    `ssh-ed25519 ${ed25519}AAAA`,
    `ssh-ed25519-cert-v01@openssh.com ${ed25519}`,
    `command="x" ssh-ed25519 ${ed25519}`,
    `ssh-ed25519 ${ed25519}\nssh-ed25519 ${ed25519}`,
    `__proto__ ${ed25519}`,
    `ssh-dss ${ed25519}`,
    `ssh-ed25519 ${"A".repeat(10_000)}`,
  ]) {
    expect({ line, key: parseSshPublicKey(line) }).toEqual({ line, key: undefined });
  }
  fc.assert(fc.property(fc.string(), (line) => void parseSshPublicKey(line)));
  fc.assert(fc.property(fc.base64String(), (base64) => void parseSshPublicKey(`ssh-ed25519 ${base64}`)));
});

test("no two grants share a serial, and a shell can compare all serials", () => {
  const firsts = Array.from({ length: 2_000 }, (_, index) => serialsOf(`jit_gr_${index}`));
  expect(new Set(firsts.map(([first]) => first)).size).toBe(2_000);
  for (const [first, last] of firsts) {
    expect(first > 0n && last < 2n ** 63n && last - first === 65_535n).toBe(true);
  }
});

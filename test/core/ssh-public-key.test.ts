import { generateKeyPairSync, randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseSshPublicKey } from "../../src/core/values/ssh-public-key.ts";

const field = (bytes: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const number = (bytes: Buffer): Buffer =>
  field((bytes[0] ?? 0) >= 128 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
const line = (type: string, ...fields: readonly Buffer[]): string =>
  `${type} ${Buffer.concat([field(Buffer.from(type)), ...fields]).toString("base64")}`;

const rsa = (bits: number): string => {
  const { n = "", e = "" } = generateKeyPairSync("rsa", { modulusLength: bits }).publicKey.export({
    format: "jwk",
  });
  return line("ssh-rsa", number(Buffer.from(e, "base64url")), number(Buffer.from(n, "base64url")));
};
const ed25519 = line("ssh-ed25519", field(randomBytes(32)));
const ecdsa = (curve: string, bytes: number): string =>
  line(
    `ecdsa-sha2-${curve}`,
    field(Buffer.from(curve)),
    field(Buffer.concat([Buffer.of(4), randomBytes(bytes)])),
  );

describe("a public key", () => {
  test.each([
    ["Ed25519", ed25519],
    ["ECDSA P-256", ecdsa("nistp256", 64)],
    ["ECDSA P-384", ecdsa("nistp384", 96)],
    ["ECDSA P-521", ecdsa("nistp521", 132)],
    ["RSA 2048", rsa(2_048)],
    ["RSA 3072", rsa(3_072)],
  ])("%s is accepted, without its comment", (_, key) => {
    expect(parseSshPublicKey(`${key} dev@laptop; rm -rf\n`)).toEqual({ line: key });
  });

  test.each([
    ["RSA 1024", rsa(1_024)],
    ["two lines", `${ed25519}\n${ed25519}`],
    ["options before it", `command="sh" ${ed25519}`],
    ["a certificate", line("ssh-ed25519-cert-v01@openssh.com", field(randomBytes(32)))],
    ["another type than its content", ed25519.replace("ssh-ed25519 ", "ssh-rsa ")],
    ["one byte too many", line("ssh-ed25519", field(randomBytes(33)))],
    ["a field too many", line("ssh-ed25519", field(randomBytes(32)), field(randomBytes(1)))],
    [
      "a point of another curve",
      line("ecdsa-sha2-nistp256", field(Buffer.from("nistp384")), field(randomBytes(65))),
    ],
    ["a private key", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END"],
    ["nothing", ""],
    ["too much", `ssh-rsa ${"A".repeat(17 * 1_024)}`],
  ])("%s is refused", (_, text) => {
    expect(parseSshPublicKey(text)).toHaveProperty("problem");
  });

  test("junk is refused without throwing, and an accepted key parses unchanged", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String().map((text) => `ssh-ed25519 ${text}`),
          fc.nat({ max: ed25519.length - 1 }).map((at) => `${ed25519.slice(0, at)}A${ed25519.slice(at + 1)}`),
        ),
        (text) => {
          const parsed = parseSshPublicKey(text);
          if ("line" in parsed) expect(parseSshPublicKey(parsed.line)).toEqual(parsed);
        },
      ),
    );
  });
});

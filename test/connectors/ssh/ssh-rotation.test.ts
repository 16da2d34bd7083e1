import { appendFileSync, copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readSshCaKey } from "../../../src/connectors/ssh/ca-key.ts";
import { readKrl, type SerialRange } from "../../../src/connectors/ssh/krl.ts";
import { wire } from "../../../src/connectors/ssh/wire.ts";
import { assertPresent } from "../../../src/core/values/assert.ts";
import type { IssuedTarget } from "../../../src/service/ports/connector.ts";
import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { never, specFor } from "../support/connector-harness.ts";
import { keygen, missingSshd, newKey, openSshHarness, type SshHarness } from "../support/ssh-harness.ts";

leavesNothingBehind();

const reason = missingSshd === undefined ? "" : ` (skipped: ${missingSshd})`;

describe.skipIf(missingSshd !== undefined)(`replacing the CA key, with a real sshd${reason}`, () => {
  let harness: SshHarness;
  let file: (name: string) => string;
  beforeAll(async () => {
    harness = await openSshHarness();
    file = (name) => join(dirname(harness.settings.caKeyFile), name);
    copyFileSync(file("ca"), file("ca-1"));
    for (const name of ["ca-2", "ca-3"]) appendFileSync(file("ca.pub"), `${newKey(file(name))}\n`);
  });
  afterAll(() => harness.stop());

  /** Replaces the CA key. Connectors created afterwards are like those after a restart. */
  const useCa = (name: string): void => {
    copyFileSync(file(name), file("ca.new"));
    renameSync(file("ca.new"), file("ca"));
  };
  async function grantAccess() {
    const connector = harness.with({});
    const spec = specFor(connector);
    await connector.provision(spec, never());
    const ask = { expiresAt: spec.notAfter, sshPublicKey: harness.sshPublicKey };
    const issue = () => harness.with({}).issue(spec, ask, never());
    return { spec, issue, issued: await issue() };
  }
  const end = (spec: Parameters<ReturnType<SshHarness["with"]>["takeBack"]>[0]) =>
    harness.with({}).takeBack(spec, never());
  const isLetIn = (issued: IssuedTarget): boolean => harness.run(issued) !== undefined;
  const isRevoked = (issued: IssuedTarget): boolean => {
    const certificate = file("asked-cert.pub");
    writeFileSync(certificate, `${issued.secret}\n`);
    return keygen("-Q", "-f", harness.settings.krlFile, certificate).output.includes("REVOKED");
  };

  test("revocations stay in force when the key is replaced, replaced again and restored", async () => {
    const first = await grantAccess();
    const kept = await grantAccess();
    expect(isLetIn(first.issued)).toBe(true);
    await end(first.spec);
    const ended = [first];
    for (const ca of ["ca-2", "ca-3", "ca-1"]) {
      useCa(ca);
      const next = await grantAccess();
      expect(isLetIn(next.issued)).toBe(true);
      await end(next.spec);
      ended.push(next);
      expect(ended.map(({ issued }) => isRevoked(issued))).toEqual(ended.map(() => true));
      expect(ended.map(({ issued }) => isLetIn(issued))).toEqual(ended.map(() => false));
      expect(isLetIn(kept.issued)).toBe(true);
    }
    await end(kept.spec);
    expect(isLetIn(kept.issued)).toBe(false);
  });

  test("a certificate of an earlier key is revoked when its grant ends, even without a key", async () => {
    const [one, other] = [await grantAccess(), await grantAccess()];
    useCa("ca-2");
    await end(one.spec);
    expect(isLetIn(one.issued)).toBe(false);
    rmSync(file("ca"));
    await end(other.spec);
    expect(isLetIn(other.issued)).toBe(false);
    useCa("ca-1");
  });

  test("a rotation after the replacement revokes the certificate of the earlier key", async () => {
    const { spec, issued, issue } = await grantAccess();
    useCa("ca-2");
    const again = await issue();
    expect([issued, again].map(isLetIn)).toEqual([false, true]);
    await end(spec);
    expect(isLetIn(again)).toBe(false);
    useCa("ca-1");
  });

  test("the check names every CA that hosts must still trust, and until when", async () => {
    const { spec } = await grantAccess();
    useCa("ca-2");
    const findings = await harness.with({}).check(never());
    const hosts = assertPresent(
      findings.find(({ result }) => result === "not_verified"),
      "a finding about the hosts",
    );
    for (const name of ["ca-1", "ca-2"]) {
      const key = assertPresent(readSshCaKey(readFileSync(file(name), "utf8")), "a key");
      expect(hosts.fix).toContain(key.publicLine);
    }
    expect(hosts.fix).toContain(`needed until ${new Date(spec.notAfter).toISOString()}`);
    await end(spec);
    useCa("ca-1");
  });

  test("a lost or older ledger loses no revocation", async () => {
    const ledger = `${harness.settings.krlFile}.ledger`;
    const before = readFileSync(ledger);
    const [one, other, more] = [await grantAccess(), await grantAccess(), await grantAccess()];
    await end(one.spec);
    rmSync(ledger);
    await end(other.spec);
    expect([one, other].map(({ issued }) => isLetIn(issued))).toEqual([false, false]);
    writeFileSync(ledger, before);
    await end(more.spec);
    expect([one, other, more].map(({ issued }) => isLetIn(issued))).toEqual([false, false, false]);
    expect(await harness.with({}).listManaged(never())).toEqual([]);
  });

  test("a list of an earlier version for one CA is rewritten for every CA when it is next read", async () => {
    useCa("ca-2");
    const { spec, issued } = await grantAccess();
    await end(spec);
    useCa("ca-1");
    const ca = assertPresent(readSshCaKey(readFileSync(file("ca-1"), "utf8")), "a key");
    const krl = assertPresent(readKrl(readFileSync(harness.settings.krlFile)), "a list");
    writeFileSync(harness.settings.krlFile, listOfOneCa(ca.publicBlob, krl.ranges));
    expect(isLetIn(issued)).toBe(true);
    await harness.with({}).listManaged(never());
    expect(isLetIn(issued)).toBe(false);
  });

  test("a ledger of an earlier version is read, and its grants are taken back", async () => {
    const { spec, issued } = await grantAccess();
    const ledger = `${harness.settings.krlFile}.ledger`;
    const { carried: _, entries, ...rest } = JSON.parse(readFileSync(ledger, "utf8"));
    const old = entries.map(({ ca: __, ...entry }: { readonly ca?: string }) => entry);
    writeFileSync(ledger, JSON.stringify({ ...rest, entries: old }));
    expect(await harness.with({}).listManaged(never())).toMatchObject([{ object: spec.object, drift: [] }]);
    await end(spec);
    expect(isLetIn(issued)).toBe(false);
  });

  test("a missing or damaged list is rewritten when it is next read, and the check warns against removing it", async () => {
    const { spec, issued } = await grantAccess();
    await end(spec);
    const live = await grantAccess();
    for (const damage of [
      () => rmSync(harness.settings.krlFile),
      () => writeFileSync(harness.settings.krlFile, "damaged"),
    ]) {
      damage();
      const problems = (await harness.with({}).check(never())).filter(({ result }) => result === "problem");
      expect(problems.map(({ what }) => what)).toContain("The revocation list is complete");
      expect(
        problems.flatMap(({ fix }) => (fix ?? "").split("\n")).filter((line) => line.startsWith("rm ")),
      ).toEqual([]);
      expect(isLetIn(live.issued)).toBe(false);
      await harness.with({}).listManaged(never());
      expect([issued, live.issued].map(isLetIn)).toEqual([false, true]);
      expect((await harness.with({}).check(never())).filter(({ result }) => result === "problem")).toEqual(
        [],
      );
    }
    await end(live.spec);
  });

  test.each([
    ["a damaged ledger", () => "{", /^mv \S+ \S+\.damaged$/],
    [
      "the ledger of an installation that is gone",
      (before: string) => before.replace('"ours"', '"theirs"'),
      /^mv \S+ \S+\.previous$/,
    ],
  ])("the printed fix for %s loses no revocation", async (_, change, move) => {
    const { spec, issued } = await grantAccess();
    await end(spec);
    const ledger = `${harness.settings.krlFile}.ledger`;
    writeFileSync(ledger, change(readFileSync(ledger, "utf8")));
    const [problem] = (await harness.with({}).check(never())).filter(({ result }) => result === "problem");
    const line = assertPresent(problem?.fix?.split("\n").at(-1), "a line to run");
    expect(line).toMatch(move);
    const [, from = "", to = ""] = line.split(" ");
    renameSync(from, to);
    const next = await grantAccess();
    expect([issued, next.issued].map(isLetIn)).toEqual([false, true]);
    await end(next.spec);
  });
});

/** A list in the format of earlier versions. */
function listOfOneCa(blob: Buffer, ranges: readonly SerialRange[]): Buffer {
  const revoked = ranges.flatMap(([first, last]) => [
    wire.byte(0x21),
    wire.string(Buffer.concat([wire.u64(first), wire.u64(last)])),
  ]);
  const section = Buffer.concat([wire.string(blob), wire.string(""), ...revoked]);
  return Buffer.concat([
    Buffer.from("SSHKRL\n\0", "latin1"),
    wire.u32(1),
    wire.u64(1n),
    wire.u64(0n),
    wire.u64(0n),
    wire.strings(["", "jit-access"]),
    wire.byte(1),
    wire.string(section),
  ]);
}

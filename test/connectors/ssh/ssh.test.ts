import { chmodSync, readdirSync, readFileSync, statSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { instant } from "../../../src/core/values/ids.ts";
import type { SshSettings } from "../../../src/core/values/connector-settings.ts";
import type { IssuedTarget } from "../../../src/service/ports/connector.ts";
import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { testConnectorContract } from "../connector-contract.ts";
import { never, specFor } from "../support/connector-harness.ts";
import {
  missingSshd,
  sessionEnder,
  sshKind,
  openSshHarness,
  type SshHarness,
} from "../support/ssh-harness.ts";

leavesNothingBehind();
testConnectorContract(sshKind());

const reason = missingSshd === undefined ? "" : ` (skipped: ${missingSshd})`;

describe.skipIf(missingSshd !== undefined)(`certificates with a real sshd${reason}`, () => {
  let harness: SshHarness;
  beforeAll(async () => {
    harness = await openSshHarness();
  });
  afterAll(() => harness.stop());

  async function grantAccess(more: Partial<SshSettings> = {}, end = 3_600_000) {
    const connector = harness.with(more);
    const spec = specFor(connector, { notAfter: instant(Date.now() + end) });
    await connector.provision(spec, never());
    const asked = { expiresAt: spec.notAfter, sshPublicKey: harness.sshPublicKey };
    return { connector, spec, issued: await connector.issue(spec, asked, never()) };
  }
  const inOne = (issued: IssuedTarget): string | undefined => harness.run(issued);

  test("a forced command runs instead of the requested one", async () => {
    const { connector, spec, issued } = await grantAccess({ forceCommand: "echo forced" });
    expect(harness.run(issued, "echo chosen")).toBe("forced\n");
    await connector.takeBack(spec, never());
  });

  test("a certificate is rejected from an address that is not allowed", async () => {
    const elsewhere = await grantAccess({ sourceAddress: ["192.0.2.0/24"] });
    expect(inOne(elsewhere.issued)).toBeUndefined();
    const here = await grantAccess({ sourceAddress: ["192.0.2.0/24", "127.0.0.1/32"] });
    expect(inOne(here.issued)).toBe("one order\n");
    for (const { connector, spec } of [elsewhere, here]) await connector.takeBack(spec, never());
  });

  test("a certificate for another principal is rejected", async () => {
    const { connector, spec, issued } = await grantAccess({ actions: { read: { principals: ["others"] } } });
    expect(inOne(issued)).toBeUndefined();
    await connector.takeBack(spec, never());
  });

  test("a certificate is rejected after its expiry, even if the service is down", async () => {
    const { connector, spec, issued } = await grantAccess({}, -1_000);
    expect(inOne(issued)).toBeUndefined();
    await connector.takeBack(spec, never());
  });

  test("the shipped script as a hook ends the sessions of the grant and no others", async () => {
    const [mine, other] = [await grantAccess({ hook: sessionEnder }), await grantAccess()];
    const visitors = [
      assertPresent(await harness.openShell(mine.issued), "in"),
      assertPresent(await harness.openShell(other.issued), "in"),
    ];
    await mine.connector.takeBack(mine.spec, never());
    expect(await Promise.all(visitors.map((one) => one.reads()))).toEqual([false, true]);
    for (const one of visitors) await one.close();
    await other.connector.takeBack(other.spec, never());
  });

  test("a failed hook is retried, and the grant stays listed until it succeeds", async () => {
    const failing = join(dirname(harness.settings.caKeyFile), "failing-hook");
    writeFileSync(failing, "#!/bin/sh\nexit 3\n", { mode: 0o755 });
    const { connector, spec, issued } = await grantAccess({ hook: failing });
    await expect(connector.takeBack(spec, never())).rejects.toMatchObject({
      code: "refused",
      retryable: true,
    });
    expect(inOne(issued)).toBeUndefined();
    expect(await connector.listManaged(never())).toMatchObject([{ object: spec.object }]);
    writeFileSync(failing, "#!/bin/sh\nexit 0\n");
    await connector.takeBack(spec, never());
    expect(await connector.listManaged(never())).toEqual([]);
  });

  test("a take-back revokes even when the ledger was lost", async () => {
    const { connector, spec, issued } = await grantAccess();
    writeFileSync(
      `${harness.settings.krlFile}.ledger.lost`,
      readFileSync(`${harness.settings.krlFile}.ledger`),
    );
    rmSync(`${harness.settings.krlFile}.ledger`);
    expect(inOne(issued)).toBe("one order\n");
    await connector.takeBack(spec, never());
    expect(inOne(issued)).toBeUndefined();
    rmSync(`${harness.settings.krlFile}.ledger.lost`);
  });

  test("after a crash between ledger and list the grant is still listed, and the next attempt completes", async () => {
    const { connector, spec, issued } = await grantAccess();
    const before = readFileSync(harness.settings.krlFile);
    await connector.takeBack(spec, never());
    writeFileSync(harness.settings.krlFile, before);
    expect(inOne(issued)).toBe("one order\n");
    expect(await connector.listManaged(never())).toMatchObject([{ object: spec.object }]);
    await connector.takeBack(spec, never());
    expect(inOne(issued)).toBeUndefined();
    expect(await connector.listManaged(never())).toEqual([]);
  });

  test("a damaged ledger, or one of another installation, is reported and not changed", async () => {
    const { connector, spec } = await grantAccess();
    const ledger = `${harness.settings.krlFile}.ledger`;
    const before = readFileSync(ledger, "utf8");
    for (const [text, code] of [
      ["{", "refused"],
      ["null", "refused"],
      [before.replace('"live"', '"alive"'), "refused"],
      [before.replace('"ours"', '"theirs"'), "foreign_object"],
    ] as const) {
      writeFileSync(ledger, text);
      for (const attempt of [() => connector.takeBack(spec, never()), () => connector.listManaged(never())]) {
        await expect(attempt()).rejects.toMatchObject({ code, retryable: false });
      }
      expect(readFileSync(ledger, "utf8")).toBe(text);
    }
    writeFileSync(ledger, before);
    await connector.takeBack(spec, never());
  });

  test("a half-written file of an earlier crash does no harm and is removed", async () => {
    for (const half of ["revoked.new", "revoked.ledger.new"]) {
      writeFileSync(join(dirname(harness.settings.krlFile), half), "half");
    }
    const { connector, spec } = await grantAccess();
    await connector.takeBack(spec, never());
    expect(readdirSync(dirname(harness.settings.krlFile)).toSorted()).toEqual(["revoked", "revoked.ledger"]);
  });

  test("hosts can read the list, and only we can read the ledger", async () => {
    const { connector, spec } = await grantAccess();
    expect(statSync(harness.settings.krlFile).mode & 0o777).toBe(0o644);
    expect(statSync(`${harness.settings.krlFile}.ledger`).mode & 0o777).toBe(0o600);
    await connector.takeBack(spec, never());
  });

  test("a CA key that others can read is rejected, and the check says how to fix it", async () => {
    const connector = harness.with({});
    chmodSync(harness.settings.caKeyFile, 0o640);
    await expect(connector.provision(specFor(connector), never())).rejects.toMatchObject({
      code: "not_permitted",
    });
    const [finding] = await connector.check(never());
    expect(finding).toMatchObject({ result: "problem", fix: expect.stringContaining("chmod 600") });
    chmodSync(harness.settings.caKeyFile, 0o600);
    expect((await connector.check(never())).filter(({ result }) => result === "problem")).toEqual([]);
  });

  test("a CA key in an unsupported encoding is rejected with its name", async () => {
    const connector = harness.with({});
    const key = readFileSync(harness.settings.caKeyFile, "utf8");
    try {
      writeFileSync(
        harness.settings.caKeyFile,
        Buffer.from(`\uFEFF${key.replaceAll("\n", "\r\n")}`, "utf16le"),
      );
      expect((await connector.check(never())).filter(({ result }) => result === "problem")).toEqual([]);
      writeFileSync(harness.settings.caKeyFile, Buffer.from(key, "utf16le"));
      const [finding] = await connector.check(never());
      expect(finding).toMatchObject({
        result: "problem",
        what: expect.stringContaining("has a NUL byte in line 1"),
      });
    } finally {
      writeFileSync(harness.settings.caKeyFile, key);
    }
  });

  test("a missing or unsupported public key is reported to the requester", async () => {
    const connector = harness.with({});
    const spec = specFor(connector);
    await connector.provision(spec, never());
    for (const key of [{}, { sshPublicKey: "ssh-dss AAAA" }]) {
      await expect(
        connector.issue(spec, { expiresAt: spec.notAfter, ...key }, never()),
      ).rejects.toMatchObject({ code: "invalid_input", retryable: false });
    }
    await connector.takeBack(spec, never());
  });

  test("access cannot be issued again after a take-back", async () => {
    const { connector, spec } = await grantAccess();
    await connector.takeBack(spec, never());
    await expect(connector.provision(spec, never())).rejects.toMatchObject({ code: "refused" });
    const asked = { expiresAt: spec.notAfter, sshPublicKey: harness.sshPublicKey };
    await expect(connector.issue(spec, asked, never())).rejects.toMatchObject({ code: "refused" });
  });
});

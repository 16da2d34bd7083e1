import { chmodSync, readdirSync, readFileSync, statSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { instant } from "../../../src/core/values/ids.ts";
import type { SshSettings } from "../../../src/core/values/connector-settings.ts";
import type { IssuedTarget } from "../../../src/service/ports/connector.ts";
import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { keepsTheContract } from "../connector-contract.ts";
import { never, orderFor } from "../support/lab.ts";
import { missingSshd, sessionEnder, sshKind, openSshHarness, type SshHarness } from "../support/ssh-lab.ts";

leavesNothingBehind();
keepsTheContract(sshKind());

const reason = missingSshd === undefined ? "" : ` (skipped: ${missingSshd})`;

describe.skipIf(missingSshd !== undefined)(`certificates at a real sshd${reason}`, () => {
  let harness: SshHarness;
  beforeAll(async () => {
    harness = await openSshHarness();
  });
  afterAll(() => harness.stop());

  async function given(more: Partial<SshSettings> = {}, end = 3_600_000) {
    const connector = harness.with(more);
    const spec = orderFor(connector, { notAfter: instant(Date.now() + end) });
    await connector.provision(spec, never());
    const asked = { expiresAt: spec.notAfter, sshPublicKey: harness.sshPublicKey };
    return { connector, spec, issued: await connector.issue(spec, asked, never()) };
  }
  const inOne = (issued: IssuedTarget): string | undefined => harness.run(issued);

  test("the command the connector forces is the one that runs, whatever was asked for", async () => {
    const { connector, spec, issued } = await given({ forceCommand: "echo forced" });
    expect(harness.run(issued, "echo chosen")).toBe("forced\n");
    await connector.takeBack(spec, never());
  });

  test("from an address that is not allowed nobody comes in", async () => {
    const elsewhere = await given({ sourceAddress: ["192.0.2.0/24"] });
    expect(inOne(elsewhere.issued)).toBeUndefined();
    const here = await given({ sourceAddress: ["192.0.2.0/24", "127.0.0.1/32"] });
    expect(inOne(here.issued)).toBe("one order\n");
    for (const { connector, spec } of [elsewhere, here]) await connector.takeBack(spec, never());
  });

  test("a certificate for another principal opens nothing here", async () => {
    const { connector, spec, issued } = await given({ actions: { read: { principals: ["others"] } } });
    expect(inOne(issued)).toBeUndefined();
    await connector.takeBack(spec, never());
  });

  test("after its end it opens nothing, whether we are there or not", async () => {
    const { connector, spec, issued } = await given({}, -1_000);
    expect(inOne(issued)).toBeUndefined();
    await connector.takeBack(spec, never());
  });

  test("with the shipped script as hook whoever is in is out, and another's session goes on", async () => {
    const [mine, other] = [await given({ hook: sessionEnder }), await given()];
    const visitors = [
      assertPresent(await harness.enter(mine.issued), "in"),
      assertPresent(await harness.enter(other.issued), "in"),
    ];
    await mine.connector.takeBack(mine.spec, never());
    expect(await Promise.all(visitors.map((one) => one.reads()))).toEqual([false, true]);
    for (const one of visitors) await one.leave();
    await other.connector.takeBack(other.spec, never());
  });

  test("a hook that fails is tried again, and until then it is listed", async () => {
    const failing = join(dirname(harness.settings.caKeyFile), "failing-hook");
    writeFileSync(failing, "#!/bin/sh\nexit 3\n", { mode: 0o755 });
    const { connector, spec, issued } = await given({ hook: failing });
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

  test("what is taken back is revoked even when the ledger is lost", async () => {
    const { connector, spec, issued } = await given();
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

  test("cut off between ledger and list it is listed still, and the next attempt carries on", async () => {
    const { connector, spec, issued } = await given();
    const before = readFileSync(harness.settings.krlFile);
    await connector.takeBack(spec, never());
    writeFileSync(harness.settings.krlFile, before);
    expect(inOne(issued)).toBe("one order\n");
    expect(await connector.listManaged(never())).toMatchObject([{ object: spec.object }]);
    await connector.takeBack(spec, never());
    expect(inOne(issued)).toBeUndefined();
    expect(await connector.listManaged(never())).toEqual([]);
  });

  test("a ledger that is damaged, or another installation's, is left alone and said to be that", async () => {
    const { connector, spec } = await given();
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

  test("a half-written file of an earlier crash is in nobody's way, and none is left", async () => {
    for (const half of ["revoked.new", "revoked.ledger.new"]) {
      writeFileSync(join(dirname(harness.settings.krlFile), half), "half");
    }
    const { connector, spec } = await given();
    await connector.takeBack(spec, never());
    expect(readdirSync(dirname(harness.settings.krlFile)).toSorted()).toEqual(["revoked", "revoked.ledger"]);
  });

  test("hosts can read the list, and nobody but us the ledger", async () => {
    const { connector, spec } = await given();
    expect(statSync(harness.settings.krlFile).mode & 0o777).toBe(0o644);
    expect(statSync(`${harness.settings.krlFile}.ledger`).mode & 0o777).toBe(0o600);
    await connector.takeBack(spec, never());
  });

  test("a CA key that others can read is not used, and the check says how to mend it", async () => {
    const connector = harness.with({});
    chmodSync(harness.settings.caKeyFile, 0o640);
    await expect(connector.provision(orderFor(connector), never())).rejects.toMatchObject({
      code: "not_permitted",
    });
    const [finding] = await connector.check(never());
    expect(finding).toMatchObject({ result: "problem", fix: expect.stringContaining("chmod 600") });
    chmodSync(harness.settings.caKeyFile, 0o600);
    expect((await connector.check(never())).filter(({ result }) => result === "problem")).toEqual([]);
  });

  test("a CA key is read in the encoding its file has, or refused by name", async () => {
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

  test("without a key, or with one we cannot certify, the requester is told", async () => {
    const connector = harness.with({});
    const spec = orderFor(connector);
    await connector.provision(spec, never());
    for (const key of [{}, { sshPublicKey: "ssh-dss AAAA" }]) {
      await expect(
        connector.issue(spec, { expiresAt: spec.notAfter, ...key }, never()),
      ).rejects.toMatchObject({ code: "invalid_input", retryable: false });
    }
    await connector.takeBack(spec, never());
  });

  test("what was taken back cannot be opened again", async () => {
    const { connector, spec } = await given();
    await connector.takeBack(spec, never());
    await expect(connector.provision(spec, never())).rejects.toMatchObject({ code: "refused" });
    const asked = { expiresAt: spec.notAfter, sshPublicKey: harness.sshPublicKey };
    await expect(connector.issue(spec, asked, never())).rejects.toMatchObject({ code: "refused" });
  });
});

import { chmodSync, readdirSync, readFileSync, statSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { present } from "../../../src/core/values/assert.ts";
import { instant } from "../../../src/core/values/ids.ts";
import type { SshSettings } from "../../../src/core/values/connector-settings.ts";
import type { IssuedTarget } from "../../../src/service/ports/connector.ts";
import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { keepsTheContract } from "../connector-contract.ts";
import { never, orderFor } from "../support/lab.ts";
import { missingSshd, sessionEnder, sshKind, sshLab, type SshLab } from "../support/ssh-lab.ts";

leavesNothingBehind();
keepsTheContract(sshKind());

const reason = missingSshd === undefined ? "" : ` (skipped: ${missingSshd})`;

describe.skipIf(missingSshd !== undefined)(`certificates at a real sshd${reason}`, () => {
  let lab: SshLab;
  beforeAll(async () => {
    lab = await sshLab();
  });
  afterAll(() => lab.stop());

  async function given(more: Partial<SshSettings> = {}, end = 3_600_000) {
    const connector = lab.with(more);
    const order = orderFor(connector, { notAfter: instant(Date.now() + end) });
    await connector.provision(order, never());
    const asked = { expiresAt: order.notAfter, sshPublicKey: lab.sshPublicKey };
    return { connector, order, issued: await connector.issue(order, asked, never()) };
  }
  const inOne = (issued: IssuedTarget): string | undefined => lab.run(issued);

  test("the command the connector forces is the one that runs, whatever was asked for", async () => {
    const { connector, order, issued } = await given({ forceCommand: "echo forced" });
    expect(lab.run(issued, "echo chosen")).toBe("forced\n");
    await connector.takeBack(order, never());
  });

  test("from an address that is not allowed nobody comes in", async () => {
    const elsewhere = await given({ sourceAddress: ["192.0.2.0/24"] });
    expect(inOne(elsewhere.issued)).toBeUndefined();
    const here = await given({ sourceAddress: ["192.0.2.0/24", "127.0.0.1/32"] });
    expect(inOne(here.issued)).toBe("one order\n");
    for (const { connector, order } of [elsewhere, here]) await connector.takeBack(order, never());
  });

  test("a certificate for another principal opens nothing here", async () => {
    const { connector, order, issued } = await given({ actions: { read: { principals: ["others"] } } });
    expect(inOne(issued)).toBeUndefined();
    await connector.takeBack(order, never());
  });

  test("after its end it opens nothing, whether we are there or not", async () => {
    const { connector, order, issued } = await given({}, -1_000);
    expect(inOne(issued)).toBeUndefined();
    await connector.takeBack(order, never());
  });

  test("with the shipped script as hook whoever is in is out, and another's session goes on", async () => {
    const [mine, other] = [await given({ hook: sessionEnder }), await given()];
    const visitors = [
      present(await lab.enter(mine.issued), "in"),
      present(await lab.enter(other.issued), "in"),
    ];
    await mine.connector.takeBack(mine.order, never());
    expect(await Promise.all(visitors.map((one) => one.reads()))).toEqual([false, true]);
    for (const one of visitors) await one.leave();
    await other.connector.takeBack(other.order, never());
  });

  test("a hook that fails is tried again, and until then it is listed", async () => {
    const failing = join(dirname(lab.settings.caKeyFile), "failing-hook");
    writeFileSync(failing, "#!/bin/sh\nexit 3\n", { mode: 0o755 });
    const { connector, order, issued } = await given({ hook: failing });
    await expect(connector.takeBack(order, never())).rejects.toMatchObject({
      code: "refused",
      retryable: true,
    });
    expect(inOne(issued)).toBeUndefined();
    expect(await connector.listOurs(never())).toMatchObject([{ object: order.object }]);
    writeFileSync(failing, "#!/bin/sh\nexit 0\n");
    await connector.takeBack(order, never());
    expect(await connector.listOurs(never())).toEqual([]);
  });

  test("what is taken back is revoked even when the ledger is lost", async () => {
    const { connector, order, issued } = await given();
    writeFileSync(`${lab.settings.krlFile}.ledger.lost`, readFileSync(`${lab.settings.krlFile}.ledger`));
    rmSync(`${lab.settings.krlFile}.ledger`);
    expect(inOne(issued)).toBe("one order\n");
    await connector.takeBack(order, never());
    expect(inOne(issued)).toBeUndefined();
    rmSync(`${lab.settings.krlFile}.ledger.lost`);
  });

  test("cut off between ledger and list it is listed still, and the next attempt carries on", async () => {
    const { connector, order, issued } = await given();
    const before = readFileSync(lab.settings.krlFile);
    await connector.takeBack(order, never());
    writeFileSync(lab.settings.krlFile, before);
    expect(inOne(issued)).toBe("one order\n");
    expect(await connector.listOurs(never())).toMatchObject([{ object: order.object }]);
    await connector.takeBack(order, never());
    expect(inOne(issued)).toBeUndefined();
    expect(await connector.listOurs(never())).toEqual([]);
  });

  test("a ledger that is damaged, or another installation's, is left alone and said to be that", async () => {
    const { connector, order } = await given();
    const ledger = `${lab.settings.krlFile}.ledger`;
    const before = readFileSync(ledger, "utf8");
    for (const [text, code] of [
      ["{", "refused"],
      ["null", "refused"],
      [before.replace('"live"', '"alive"'), "refused"],
      [before.replace('"ours"', '"theirs"'), "foreign_object"],
    ] as const) {
      writeFileSync(ledger, text);
      for (const attempt of [() => connector.takeBack(order, never()), () => connector.listOurs(never())]) {
        await expect(attempt()).rejects.toMatchObject({ code, retryable: false });
      }
      expect(readFileSync(ledger, "utf8")).toBe(text);
    }
    writeFileSync(ledger, before);
    await connector.takeBack(order, never());
  });

  test("a half-written file of an earlier crash is in nobody's way, and none is left", async () => {
    for (const half of ["revoked.new", "revoked.ledger.new"]) {
      writeFileSync(join(dirname(lab.settings.krlFile), half), "half");
    }
    const { connector, order } = await given();
    await connector.takeBack(order, never());
    expect(readdirSync(dirname(lab.settings.krlFile)).toSorted()).toEqual(["revoked", "revoked.ledger"]);
  });

  test("hosts can read the list, and nobody but us the ledger", async () => {
    const { connector, order } = await given();
    expect(statSync(lab.settings.krlFile).mode & 0o777).toBe(0o644);
    expect(statSync(`${lab.settings.krlFile}.ledger`).mode & 0o777).toBe(0o600);
    await connector.takeBack(order, never());
  });

  test("a CA key that others can read is not used, and the check says how to mend it", async () => {
    const connector = lab.with({});
    chmodSync(lab.settings.caKeyFile, 0o640);
    await expect(connector.provision(orderFor(connector), never())).rejects.toMatchObject({
      code: "not_permitted",
    });
    const [finding] = await connector.check(never());
    expect(finding).toMatchObject({ result: "problem", fix: expect.stringContaining("chmod 600") });
    chmodSync(lab.settings.caKeyFile, 0o600);
    expect((await connector.check(never())).filter(({ result }) => result === "problem")).toEqual([]);
  });

  test("a CA key is read in the encoding its file has, or refused by name", async () => {
    const connector = lab.with({});
    const key = readFileSync(lab.settings.caKeyFile, "utf8");
    try {
      writeFileSync(lab.settings.caKeyFile, Buffer.from(`\uFEFF${key.replaceAll("\n", "\r\n")}`, "utf16le"));
      expect((await connector.check(never())).filter(({ result }) => result === "problem")).toEqual([]);
      writeFileSync(lab.settings.caKeyFile, Buffer.from(key, "utf16le"));
      const [finding] = await connector.check(never());
      expect(finding).toMatchObject({
        result: "problem",
        what: expect.stringContaining("has a NUL byte in line 1"),
      });
    } finally {
      writeFileSync(lab.settings.caKeyFile, key);
    }
  });

  test("without a key, or with one we cannot certify, the requester is told", async () => {
    const connector = lab.with({});
    const order = orderFor(connector);
    await connector.provision(order, never());
    for (const key of [{}, { sshPublicKey: "ssh-dss AAAA" }]) {
      await expect(
        connector.issue(order, { expiresAt: order.notAfter, ...key }, never()),
      ).rejects.toMatchObject({ code: "invalid_input", retryable: false });
    }
    await connector.takeBack(order, never());
  });

  test("what was taken back cannot be opened again", async () => {
    const { connector, order } = await given();
    await connector.takeBack(order, never());
    await expect(connector.provision(order, never())).rejects.toMatchObject({ code: "refused" });
    const asked = { expiresAt: order.notAfter, sshPublicKey: lab.sshPublicKey };
    await expect(connector.issue(order, asked, never())).rejects.toMatchObject({ code: "refused" });
  });
});

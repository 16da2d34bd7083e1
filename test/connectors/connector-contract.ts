import { createServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assertPresent } from "../../src/core/values/assert.ts";
import { instant, type Instant } from "../../src/core/values/ids.ts";
import { hourMs, minuteMs } from "../../src/core/values/time.ts";
import { ConnectorFault, type Connector } from "../../src/service/ports/connector.ts";
import type { IssuedTarget, TargetSpec } from "../../src/service/ports/connector.ts";
import { whyNotSameTarget } from "../../src/service/targets/verify-same-target.ts";
import { heldObject } from "../service/support/held-object.ts";
import { listeningPort } from "../proxies/support/ports.ts";
import { never, specFor, type ConnectorHarness, type TargetKind } from "./support/connector-harness.ts";

/** The contract of every connector, verified with a real server. */
export function testConnectorContract(kind: TargetKind): void {
  const reason = kind.missing === undefined ? "" : ` (skipped: ${kind.missing})`;
  describe.skipIf(kind.missing !== undefined)(`${kind.name}${reason}`, () => {
    let harness: ConnectorHarness;
    let connector: Connector;
    beforeAll(async () => {
      harness = await kind.start();
      connector = await harness.connector();
    });
    afterAll(async () => {
      await connector.close();
      await harness.stop();
    });

    const issueInput = (expiresAt: Instant) => ({
      expiresAt,
      ...(harness.sshPublicKey !== undefined && { sshPublicKey: harness.sshPublicKey }),
    });
    const issue = (spec: TargetSpec): Promise<IssuedTarget> =>
      connector.issue(spec, issueInput(spec.notAfter), never());
    const listed = async (object: string) =>
      (await connector.listManaged(never())).filter((found) => found.object === object);
    async function grantAccess(more: Partial<TargetSpec> = {}) {
      const spec = specFor(connector, more);
      await connector.provision(spec, never());
      return { spec, issued: await issue(spec) };
    }
    const sessionOf = async (issued: IssuedTarget) =>
      assertPresent(await harness.openSession(issued), "an accepted secret");

    giving();
    takingBack();
    listing();
    failing();

    function giving(): void {
      test("an issued secret gives the access of the grant", async () => {
        const { spec, issued } = await grantAccess();
        expect(issued).toMatchObject({
          connector: connector.name,
          kind: connector.kind,
          expiresAt: spec.notAfter,
        });
        const session = await sessionOf(issued);
        expect(await session.reads()).toBe(true);
        await session.close();
        await connector.takeBack(spec, never());
      });

      test("a provisioned object without a secret gives no access, and is listed with its grant and expiry", async () => {
        const spec = specFor(connector);
        await connector.provision(spec, never());
        const { object, grantId, notAfter } = spec;
        expect(await listed(object)).toMatchObject([{ object, grantId, notAfter, drift: [] }]);
        await connector.takeBack(spec, never());
      });

      test("provisioning twice, even at the same time, makes one object", async () => {
        const spec = specFor(connector);
        await connector.provision(spec, never());
        await Promise.all([1, 2, 3].map(() => connector.provision(spec, never())));
        expect(await listed(spec.object)).toHaveLength(1);
        await connector.takeBack(spec, never());
      });

      test("a second secret invalidates the first, and ends its sessions where the target can", async () => {
        const { spec, issued } = await grantAccess();
        const earlier = await sessionOf(issued);
        const again = await issue(spec);
        expect(again.secret).not.toBe(issued.secret);
        expect(await harness.openSession(issued)).toBeUndefined();
        if (kind.endsSessions) expect(await earlier.reads()).toBe(false);
        await earlier.close();
        const session = await sessionOf(again);
        expect(await session.reads()).toBe(true);
        await session.close();
        await connector.takeBack(spec, never());
      });

      test("issuing sets the exact expiry, also in the label", async () => {
        const spec = specFor(connector);
        await connector.provision(spec, never());
        const expiresAt = instant(spec.notAfter - 10 * minuteMs);
        const issued = await connector.issue(spec, issueInput(expiresAt), never());
        expect(issued.expiresAt).toBe(expiresAt);
        expect(await listed(spec.object)).toMatchObject([{ notAfter: expiresAt, drift: [] }]);
        await connector.takeBack(spec, never());
      });

      test("an extension moves the expiry and keeps sessions open", async () => {
        const { spec, issued } = await grantAccess();
        const session = await sessionOf(issued);
        const later = { ...spec, notAfter: instant(spec.notAfter + hourMs) };
        await connector.provision(later, never());
        expect(await listed(spec.object)).toMatchObject([{ notAfter: later.notAfter, drift: [] }]);
        expect(await session.reads()).toBe(true);
        await session.close();
        const next = await sessionOf(issued);
        expect(await next.reads()).toBe(true);
        await next.close();
        await connector.takeBack(spec, never());
      });
    }

    function takingBack(): void {
      test("after a take-back there is no access and no listed object", async () => {
        const { spec, issued } = await grantAccess();
        await connector.takeBack(spec, never());
        expect(await listed(spec.object)).toEqual([]);
        expect(await harness.openSession(issued)).toBeUndefined();
      });

      test.skipIf(!kind.endsSessions)("a take-back ends open sessions", async () => {
        const { spec, issued } = await grantAccess();
        const session = await sessionOf(issued);
        expect(await session.reads()).toBe(true);
        await connector.takeBack(spec, never());
        expect(await session.reads()).toBe(false);
        await session.close();
      });

      test("taking back an object that does not exist, or again, succeeds", async () => {
        const { spec } = await grantAccess();
        await connector.takeBack(spec, never());
        await connector.takeBack(spec, never());
        const strange = specFor(connector);
        await connector.takeBack(strange, never());
        for (const { object } of [spec, strange]) expect(await listed(object)).toEqual([]);
      });

      test("many grants that start and end at the same time are all listed, then all gone", async () => {
        const specs = Array.from({ length: 60 }, () => specFor(connector));
        const spoilt = specFor(connector);
        const faults = await Promise.allSettled([
          ...specs.map((spec) => connector.provision(spec, never())),
          connector.provision(spoilt, AbortSignal.abort()),
        ]);
        expect(faults.map(({ status }) => status)).toEqual([...specs.map(() => "fulfilled"), "rejected"]);
        expect((await connector.listManaged(never())).map(({ object }) => object).toSorted()).toEqual(
          specs.map(({ object }) => object).toSorted(),
        );
        await Promise.all(specs.map((spec) => connector.takeBack(spec, never())));
        expect(await connector.listManaged(never())).toEqual([]);
      });

      test("the end of one grant does not affect another of the same person", async () => {
        const [one, other] = [await grantAccess(), await grantAccess()];
        const session = await sessionOf(other.issued);
        await connector.takeBack(one.spec, never());
        expect(await session.reads()).toBe(true);
        expect(await listed(other.spec.object)).toMatchObject([{ drift: [] }]);
        await session.close();
        await connector.takeBack(other.spec, never());
      });
    }

    function listing(): void {
      test("only our own objects are listed, not those of another installation or connector", async () => {
        const others = [
          await harness.connector({ instance: "another" }),
          await harness.connector({ name: "another" }),
        ];
        const { spec } = await grantAccess();
        for (const other of others) {
          const theirs = specFor(other);
          await other.provision(theirs, never());
          expect((await connector.listManaged(never())).map(({ object }) => object)).not.toContain(
            theirs.object,
          );
          expect((await other.listManaged(never())).map(({ object }) => object)).toEqual([theirs.object]);
          await other.takeBack(theirs, never());
          expect(await listed(spec.object)).toHaveLength(1);
          await other.close();
        }
        await connector.takeBack(spec, never());
        expect(await connector.listManaged(never())).toEqual([]);
      });

      test("a second address of the same target is recognised while the target holds objects", async () => {
        const spec = specFor(connector);
        const identity = (await connector.provision(spec, never())) ?? undefined;
        const held = heldObject(spec, identity);
        const again = await harness.connector();
        expect(await whyNotSameTarget([held], again, undefined, never())).toBeUndefined();
        if (again.system !== undefined) {
          expect(await again.system(never())).toEqual(await connector.system?.(never()));
          expect(await whyNotSameTarget([held], again, connector, never())).toBeUndefined();
        } else {
          expect(await whyNotSameTarget([held], again, connector, never())).toMatch(
            /former address answers too/,
          );
        }
        await connector.takeBack(spec, never());
        expect(await whyNotSameTarget([held], again, undefined, never())).toMatch(/does not hold/);
        const unreachable = await harness.unreachable();
        expect(await whyNotSameTarget([held], unreachable, undefined, never())).toEqual(expect.any(String));
        await again.close();
        await unreachable.close();
      });

      test.skipIf(!kind.hasForeign)(
        "an object with our name but not our label is never touched",
        async () => {
          const spec = specFor(connector);
          await harness.makeForeign(spec.object);
          for (const attempt of [
            () => connector.provision(spec, never()),
            () => issue(spec),
            () => connector.takeBack(spec, never()),
          ]) {
            await expect(attempt()).rejects.toMatchObject({ code: "foreign_object", retryable: false });
          }
          expect(await listed(spec.object)).toEqual([]);
          expect(await harness.hasForeignObject(spec.object)).toBe(true);
        },
      );

      test("an object removed by hand is no longer listed, and taking it back succeeds", async () => {
        const { spec } = await grantAccess();
        await harness.drop?.(spec.object);
        if (harness.drop !== undefined) expect(await listed(spec.object)).toEqual([]);
        await connector.takeBack(spec, never());
        expect(await listed(spec.object)).toEqual([]);
      });

      test("changes by hand are reported as drift, and the object is still removed", async () => {
        for (const { what, byHand, reported } of harness.tampering) {
          const { spec, issued } = await grantAccess();
          await byHand(spec.object);
          const [found] = await listed(spec.object);
          expect(`${what}: ${found?.drift.join(" ")}`).toMatch(reported);
          await connector.takeBack(spec, never());
          expect({ what, listed: await listed(spec.object) }).toEqual({ what, listed: [] });
          expect(await harness.openSession(issued)).toBeUndefined();
        }
      });
    }

    function failing(): void {
      test("an unreachable target is reported as down and retryable", async () => {
        const unreachable = await harness.unreachable();
        const spec = specFor(unreachable);
        for (const attempt of [
          () => unreachable.provision(spec, never()),
          () => unreachable.issue(spec, issueInput(spec.notAfter), never()),
          () => unreachable.takeBack(spec, never()),
          () => unreachable.listManaged(never()),
        ]) {
          const fault: unknown = await attempt().catch((error: unknown) => error);
          expect(fault).toBeInstanceOf(ConnectorFault);
          // The reason names a cause: "could not be reached" alone does not help the operator.
          expect(fault).toMatchObject({
            retryable: true,
            isTargetDown: true,
            reason: expect.stringMatching(/connection refused|does not exist/),
          });
        }
        await unreachable.close();
      });

      test("the signal aborts a call to a server that never answers", async () => {
        if (harness.at === undefined) return expect(connector.kind).toBe("ssh");
        const sockets = new Set<Socket>();
        const silent = createServer((socket) => void sockets.add(socket.on("error", () => {})));
        const unresponsive = harness.at(await listeningPort(silent));
        for (const attempt of [
          (signal: AbortSignal) => unresponsive.provision(specFor(unresponsive), signal),
          (signal: AbortSignal) => unresponsive.takeBack(specFor(unresponsive), signal),
          (signal: AbortSignal) => unresponsive.listManaged(signal),
        ]) {
          await expect(attempt(AbortSignal.timeout(100))).rejects.toMatchObject({
            code: "timeout",
            retryable: true,
            isTargetDown: true,
          });
        }
        for (const socket of sockets) socket.destroy();
        await unresponsive.close();
        await new Promise((closed) => silent.close(closed));
      });

      test("an aborted signal fails the call and changes nothing", async () => {
        const spec = specFor(connector);
        await expect(connector.provision(spec, AbortSignal.abort())).rejects.toBeInstanceOf(ConnectorFault);
        expect(await listed(spec.object)).toEqual([]);
      });

      test("a check changes nothing, keeps sessions open, and marks what it did not try as not verified", async () => {
        const { spec, issued } = await grantAccess();
        const session = await sessionOf(issued);
        const before = await connector.listManaged(never());
        const findings = await connector.check(never());
        expect(await connector.listManaged(never())).toEqual(before);
        expect(await session.reads()).toBe(true);
        for (const { what, result } of findings) {
          expect(what.includes("is not verified: ")).toBe(result === "not_verified");
        }
        await session.close();
        await connector.takeBack(spec, never());
      });

      test("the check finds no problem", async () => {
        const findings = await connector.check(never());
        expect(findings.length).toBeGreaterThan(0);
        expect(findings.filter(({ result }) => result === "problem")).toEqual([]);
      });

      test("no object is left", async () => {
        expect(await connector.listManaged(never())).toEqual([]);
      });
    }
  });
}

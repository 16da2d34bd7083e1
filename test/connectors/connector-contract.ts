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
import { never, orderFor, type Kind, type ConnectorHarness, type Visitor } from "./support/lab.ts";

/** All that every connector promises, asked of a real server. */
export function keepsTheContract(kind: Kind): void {
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

    const asking = (expiresAt: Instant) => ({
      expiresAt,
      ...(harness.sshPublicKey !== undefined && { sshPublicKey: harness.sshPublicKey }),
    });
    const issue = (spec: TargetSpec): Promise<IssuedTarget> =>
      connector.issue(spec, asking(spec.notAfter), never());
    const listed = async (object: string) =>
      (await connector.listManaged(never())).filter((one) => one.object === object);
    async function given(more: Partial<TargetSpec> = {}) {
      const spec = orderFor(connector, more);
      await connector.provision(spec, never());
      return { spec, issued: await issue(spec) };
    }
    async function visitorOf(issued: IssuedTarget): Promise<Visitor> {
      return assertPresent(await harness.visit(issued), "an open door");
    }

    giving();
    takingBack();
    listing();
    failing();

    function giving(): void {
      test("what was issued opens what the grant is for", async () => {
        const { spec, issued } = await given();
        expect(issued).toMatchObject({
          connector: connector.name,
          kind: connector.kind,
          expiresAt: spec.notAfter,
        });
        const visitor = await visitorOf(issued);
        expect(await visitor.reads()).toBe(true);
        await visitor.leave();
        await connector.takeBack(spec, never());
      });

      test("what is only provisioned opens nothing to nobody, and is listed with its grant and end", async () => {
        const spec = orderFor(connector);
        await connector.provision(spec, never());
        const { object, grantId, notAfter } = spec;
        expect(await listed(object)).toMatchObject([{ object, grantId, notAfter, drift: [] }]);
        await connector.takeBack(spec, never());
      });

      test("provisioned twice, also at the same time, it is there once", async () => {
        const spec = orderFor(connector);
        await connector.provision(spec, never());
        await Promise.all([1, 2, 3].map(() => connector.provision(spec, never())));
        expect(await listed(spec.object)).toHaveLength(1);
        await connector.takeBack(spec, never());
      });

      test("a second secret kills the first, and who came in with it is out where the target can do that", async () => {
        const { spec, issued } = await given();
        const earlier = await visitorOf(issued);
        const again = await issue(spec);
        expect(again.secret).not.toBe(issued.secret);
        expect(await harness.visit(issued)).toBeUndefined();
        if (kind.endsSessions) expect(await earlier.reads()).toBe(false);
        await earlier.leave();
        const visitor = await visitorOf(again);
        expect(await visitor.reads()).toBe(true);
        await visitor.leave();
        await connector.takeBack(spec, never());
      });

      test("issuing sets the exact end, on the label too", async () => {
        const spec = orderFor(connector);
        await connector.provision(spec, never());
        const expiresAt = instant(spec.notAfter - 10 * minuteMs);
        const issued = await connector.issue(spec, asking(expiresAt), never());
        expect(issued.expiresAt).toBe(expiresAt);
        expect(await listed(spec.object)).toMatchObject([{ notAfter: expiresAt, drift: [] }]);
        await connector.takeBack(spec, never());
      });

      test("an extension moves the end, and who is in stays in", async () => {
        const { spec, issued } = await given();
        const visitor = await visitorOf(issued);
        const later = { ...spec, notAfter: instant(spec.notAfter + hourMs) };
        await connector.provision(later, never());
        expect(await listed(spec.object)).toMatchObject([{ notAfter: later.notAfter, drift: [] }]);
        expect(await visitor.reads()).toBe(true);
        await visitor.leave();
        const next = await visitorOf(issued);
        expect(await next.reads()).toBe(true);
        await next.leave();
        await connector.takeBack(spec, never());
      });
    }

    function takingBack(): void {
      test("what was taken back opens nothing and is listed no more", async () => {
        const { spec, issued } = await given();
        await connector.takeBack(spec, never());
        expect(await listed(spec.object)).toEqual([]);
        expect(await harness.visit(issued)).toBeUndefined();
      });

      test.skipIf(!kind.endsSessions)("whoever is in is out", async () => {
        const { spec, issued } = await given();
        const visitor = await visitorOf(issued);
        expect(await visitor.reads()).toBe(true);
        await connector.takeBack(spec, never());
        expect(await visitor.reads()).toBe(false);
        await visitor.leave();
      });

      test("taking back what is not there, or again, is success", async () => {
        const { spec } = await given();
        await connector.takeBack(spec, never());
        await connector.takeBack(spec, never());
        const strange = orderFor(connector);
        await connector.takeBack(strange, never());
        for (const { object } of [spec, strange]) expect(await listed(object)).toEqual([]);
      });

      test("many grants that begin and end at the same moment are all there, and all gone", async () => {
        const specs = Array.from({ length: 60 }, () => orderFor(connector));
        const spoilt = orderFor(connector);
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

      test("the end of one grant leaves another of the same person alone", async () => {
        const [one, other] = [await given(), await given()];
        const visitor = await visitorOf(other.issued);
        await connector.takeBack(one.spec, never());
        expect(await visitor.reads()).toBe(true);
        expect(await listed(other.spec.object)).toMatchObject([{ drift: [] }]);
        await visitor.leave();
        await connector.takeBack(other.spec, never());
      });
    }

    function listing(): void {
      test("exactly what is ours is listed: not another installation's, not another connector's", async () => {
        const others = [
          await harness.connector({ instance: "another" }),
          await harness.connector({ name: "another" }),
        ];
        const { spec } = await given();
        for (const other of others) {
          const theirs = orderFor(other);
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

      test("a second way to the same target proves to be the same while it holds objects, and no longer without them", async () => {
        const spec = orderFor(connector);
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
        const away = await harness.unreachable();
        expect(await whyNotSameTarget([held], away, undefined, never())).toEqual(expect.any(String));
        await again.close();
        await away.close();
      });

      test.skipIf(!kind.hasForeign)("what bears our name but not our label is never touched", async () => {
        const spec = orderFor(connector);
        await harness.makeForeign(spec.object);
        for (const attempt of [
          () => connector.provision(spec, never()),
          () => issue(spec),
          () => connector.takeBack(spec, never()),
        ]) {
          await expect(attempt()).rejects.toMatchObject({ code: "foreign_object", retryable: false });
        }
        expect(await listed(spec.object)).toEqual([]);
        expect(await harness.isForeignThere(spec.object)).toBe(true);
      });

      test("what was removed by hand is listed no more, and taking it back is success", async () => {
        const { spec } = await given();
        await harness.drop?.(spec.object);
        if (harness.drop !== undefined) expect(await listed(spec.object)).toEqual([]);
        await connector.takeBack(spec, never());
        expect(await listed(spec.object)).toEqual([]);
      });

      test("what was changed by hand is reported, and removed all the same", async () => {
        for (const { what, byHand, reported } of harness.tampering) {
          const { spec, issued } = await given();
          await byHand(spec.object);
          const [found] = await listed(spec.object);
          expect(`${what}: ${found?.drift.join(" ")}`).toMatch(reported);
          await connector.takeBack(spec, never());
          expect({ what, listed: await listed(spec.object) }).toEqual({ what, listed: [] });
          expect(await harness.visit(issued)).toBeUndefined();
        }
      });
    }

    function failing(): void {
      test("a target that is not there is said to be down, and worth another try", async () => {
        const away = await harness.unreachable();
        const spec = orderFor(away);
        for (const attempt of [
          () => away.provision(spec, never()),
          () => away.issue(spec, asking(spec.notAfter), never()),
          () => away.takeBack(spec, never()),
          () => away.listManaged(never()),
        ]) {
          const fault: unknown = await attempt().catch((error: unknown) => error);
          expect(fault).toBeInstanceOf(ConnectorFault);
          // With a cause for people: "could not be reached" alone helps nobody at night.
          expect(fault).toMatchObject({
            retryable: true,
            isTargetDown: true,
            reason: expect.stringMatching(/connection refused|is not there/),
          });
        }
        await away.close();
      });

      test("who listens and says nothing is given up when the signal says so", async () => {
        if (harness.at === undefined) return expect(connector.kind).toBe("ssh");
        const sockets = new Set<Socket>();
        const silent = createServer((socket) => void sockets.add(socket.on("error", () => {})));
        const mute = harness.at(await listeningPort(silent));
        for (const attempt of [
          (signal: AbortSignal) => mute.provision(orderFor(mute), signal),
          (signal: AbortSignal) => mute.takeBack(orderFor(mute), signal),
          (signal: AbortSignal) => mute.listManaged(signal),
        ]) {
          await expect(attempt(AbortSignal.timeout(100))).rejects.toMatchObject({
            code: "timeout",
            retryable: true,
            isTargetDown: true,
          });
        }
        for (const socket of sockets) socket.destroy();
        await mute.close();
        await new Promise((closed) => silent.close(closed));
      });

      test("an attempt ends when its signal says so", async () => {
        const spec = orderFor(connector);
        await expect(connector.provision(spec, AbortSignal.abort())).rejects.toBeInstanceOf(ConnectorFault);
        expect(await listed(spec.object)).toEqual([]);
      });

      test("a check changes nothing, whoever is in stays in, and it calls nothing in order that it did not try", async () => {
        const { spec, issued } = await given();
        const visitor = await visitorOf(issued);
        const before = await connector.listManaged(never());
        const findings = await connector.check(never());
        expect(await connector.listManaged(never())).toEqual(before);
        expect(await visitor.reads()).toBe(true);
        for (const { what, result } of findings) {
          expect(what.includes("is not verified: ")).toBe(result === "not_verified");
        }
        await visitor.leave();
        await connector.takeBack(spec, never());
      });

      test("the check finds nothing to mend", async () => {
        const findings = await connector.check(never());
        expect(findings.length).toBeGreaterThan(0);
        expect(findings.filter(({ result }) => result === "problem")).toEqual([]);
      });

      test("nothing is left", async () => {
        expect(await connector.listManaged(never())).toEqual([]);
      });
    }
  });
}

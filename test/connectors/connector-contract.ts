import { createServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { present } from "../../src/core/values/assert.ts";
import { instant, type Instant } from "../../src/core/values/ids.ts";
import { hourMs, minuteMs } from "../../src/core/values/time.ts";
import {
  ConnectorFault,
  type Connector,
  type IssuedTarget,
  type TargetOrder,
} from "../../src/service/ports/connector.ts";
import { whyNotSame } from "../../src/service/targets/verify-same-target.ts";
import { heldObject } from "../service/support/held-object.ts";
import { listeningPort } from "../proxies/support/ports.ts";
import { never, orderFor, type Kind, type Lab, type Visitor } from "./support/lab.ts";

/** All that every connector promises, asked of a real server. */
export function keepsTheContract(kind: Kind): void {
  const reason = kind.missing === undefined ? "" : ` (skipped: ${kind.missing})`;
  describe.skipIf(kind.missing !== undefined)(`${kind.name}${reason}`, () => {
    let lab: Lab;
    let connector: Connector;
    beforeAll(async () => {
      lab = await kind.start();
      connector = await lab.connector();
    });
    afterAll(async () => {
      await connector.close();
      await lab.stop();
    });

    const asking = (expiresAt: Instant) => ({
      expiresAt,
      ...(lab.sshPublicKey !== undefined && { sshPublicKey: lab.sshPublicKey }),
    });
    const issue = (order: TargetOrder): Promise<IssuedTarget> =>
      connector.issue(order, asking(order.notAfter), never());
    const listed = async (object: string) =>
      (await connector.listOurs(never())).filter((one) => one.object === object);
    async function given(more: Partial<TargetOrder> = {}) {
      const order = orderFor(connector, more);
      await connector.provision(order, never());
      return { order, issued: await issue(order) };
    }
    async function visitorOf(issued: IssuedTarget): Promise<Visitor> {
      return present(await lab.visit(issued), "an open door");
    }

    giving();
    takingBack();
    listing();
    failing();

    function giving(): void {
      test("what was issued opens what the grant is for", async () => {
        const { order, issued } = await given();
        expect(issued).toMatchObject({
          connector: connector.name,
          kind: connector.kind,
          expiresAt: order.notAfter,
        });
        const visitor = await visitorOf(issued);
        expect(await visitor.reads()).toBe(true);
        await visitor.leave();
        await connector.takeBack(order, never());
      });

      test("what is only provisioned opens nothing to nobody, and is listed with its grant and end", async () => {
        const order = orderFor(connector);
        await connector.provision(order, never());
        const { object, grantId, notAfter } = order;
        expect(await listed(object)).toMatchObject([{ object, grantId, notAfter, drift: [] }]);
        await connector.takeBack(order, never());
      });

      test("provisioned twice, also at the same time, it is there once", async () => {
        const order = orderFor(connector);
        await connector.provision(order, never());
        await Promise.all([1, 2, 3].map(() => connector.provision(order, never())));
        expect(await listed(order.object)).toHaveLength(1);
        await connector.takeBack(order, never());
      });

      test("a second secret kills the first, and who came in with it is out where the target can do that", async () => {
        const { order, issued } = await given();
        const earlier = await visitorOf(issued);
        const again = await issue(order);
        expect(again.secret).not.toBe(issued.secret);
        expect(await lab.visit(issued)).toBeUndefined();
        if (kind.endsSessions) expect(await earlier.reads()).toBe(false);
        await earlier.leave();
        const visitor = await visitorOf(again);
        expect(await visitor.reads()).toBe(true);
        await visitor.leave();
        await connector.takeBack(order, never());
      });

      test("issuing sets the exact end, on the label too", async () => {
        const order = orderFor(connector);
        await connector.provision(order, never());
        const expiresAt = instant(order.notAfter - 10 * minuteMs);
        const issued = await connector.issue(order, asking(expiresAt), never());
        expect(issued.expiresAt).toBe(expiresAt);
        expect(await listed(order.object)).toMatchObject([{ notAfter: expiresAt, drift: [] }]);
        await connector.takeBack(order, never());
      });

      test("an extension moves the end, and who is in stays in", async () => {
        const { order, issued } = await given();
        const visitor = await visitorOf(issued);
        const later = { ...order, notAfter: instant(order.notAfter + hourMs) };
        await connector.provision(later, never());
        expect(await listed(order.object)).toMatchObject([{ notAfter: later.notAfter, drift: [] }]);
        expect(await visitor.reads()).toBe(true);
        await visitor.leave();
        const next = await visitorOf(issued);
        expect(await next.reads()).toBe(true);
        await next.leave();
        await connector.takeBack(order, never());
      });
    }

    function takingBack(): void {
      test("what was taken back opens nothing and is listed no more", async () => {
        const { order, issued } = await given();
        await connector.takeBack(order, never());
        expect(await listed(order.object)).toEqual([]);
        expect(await lab.visit(issued)).toBeUndefined();
      });

      test.skipIf(!kind.endsSessions)("whoever is in is out", async () => {
        const { order, issued } = await given();
        const visitor = await visitorOf(issued);
        expect(await visitor.reads()).toBe(true);
        await connector.takeBack(order, never());
        expect(await visitor.reads()).toBe(false);
        await visitor.leave();
      });

      test("taking back what is not there, or again, is success", async () => {
        const { order } = await given();
        await connector.takeBack(order, never());
        await connector.takeBack(order, never());
        const strange = orderFor(connector);
        await connector.takeBack(strange, never());
        for (const { object } of [order, strange]) expect(await listed(object)).toEqual([]);
      });

      test("many grants that begin and end at the same moment are all there, and all gone", async () => {
        const orders = Array.from({ length: 60 }, () => orderFor(connector));
        const spoilt = orderFor(connector);
        const faults = await Promise.allSettled([
          ...orders.map((order) => connector.provision(order, never())),
          connector.provision(spoilt, AbortSignal.abort()),
        ]);
        expect(faults.map(({ status }) => status)).toEqual([...orders.map(() => "fulfilled"), "rejected"]);
        expect((await connector.listOurs(never())).map(({ object }) => object).toSorted()).toEqual(
          orders.map(({ object }) => object).toSorted(),
        );
        await Promise.all(orders.map((order) => connector.takeBack(order, never())));
        expect(await connector.listOurs(never())).toEqual([]);
      });

      test("the end of one grant leaves another of the same person alone", async () => {
        const [one, other] = [await given(), await given()];
        const visitor = await visitorOf(other.issued);
        await connector.takeBack(one.order, never());
        expect(await visitor.reads()).toBe(true);
        expect(await listed(other.order.object)).toMatchObject([{ drift: [] }]);
        await visitor.leave();
        await connector.takeBack(other.order, never());
      });
    }

    function listing(): void {
      test("exactly what is ours is listed: not another installation's, not another connector's", async () => {
        const others = [
          await lab.connector({ instance: "another" }),
          await lab.connector({ name: "another" }),
        ];
        const { order } = await given();
        for (const other of others) {
          const theirs = orderFor(other);
          await other.provision(theirs, never());
          expect((await connector.listOurs(never())).map(({ object }) => object)).not.toContain(
            theirs.object,
          );
          expect((await other.listOurs(never())).map(({ object }) => object)).toEqual([theirs.object]);
          await other.takeBack(theirs, never());
          expect(await listed(order.object)).toHaveLength(1);
          await other.close();
        }
        await connector.takeBack(order, never());
        expect(await connector.listOurs(never())).toEqual([]);
      });

      test("a second way to the same target proves to be the same while it holds objects, and no longer without them", async () => {
        const order = orderFor(connector);
        const identity = (await connector.provision(order, never())) ?? undefined;
        const held = heldObject(order, identity);
        const again = await lab.connector();
        expect(await whyNotSame([held], again, undefined, never())).toBeUndefined();
        if (again.system !== undefined) {
          expect(await again.system(never())).toEqual(await connector.system?.(never()));
          expect(await whyNotSame([held], again, connector, never())).toBeUndefined();
        } else {
          expect(await whyNotSame([held], again, connector, never())).toMatch(/former address answers too/);
        }
        await connector.takeBack(order, never());
        expect(await whyNotSame([held], again, undefined, never())).toMatch(/does not hold/);
        const away = await lab.unreachable();
        expect(await whyNotSame([held], away, undefined, never())).toEqual(expect.any(String));
        await again.close();
        await away.close();
      });

      test.skipIf(!kind.hasForeign)("what bears our name but not our label is never touched", async () => {
        const order = orderFor(connector);
        await lab.makeForeign(order.object);
        for (const attempt of [
          () => connector.provision(order, never()),
          () => issue(order),
          () => connector.takeBack(order, never()),
        ]) {
          await expect(attempt()).rejects.toMatchObject({ code: "foreign_object", retryable: false });
        }
        expect(await listed(order.object)).toEqual([]);
        expect(await lab.isForeignThere(order.object)).toBe(true);
      });

      test("what was removed by hand is listed no more, and taking it back is success", async () => {
        const { order } = await given();
        await lab.drop?.(order.object);
        if (lab.drop !== undefined) expect(await listed(order.object)).toEqual([]);
        await connector.takeBack(order, never());
        expect(await listed(order.object)).toEqual([]);
      });

      test("what was changed by hand is reported, and removed all the same", async () => {
        for (const { what, byHand, reported } of lab.tampering) {
          const { order, issued } = await given();
          await byHand(order.object);
          const [found] = await listed(order.object);
          expect(`${what}: ${found?.drift.join(" ")}`).toMatch(reported);
          await connector.takeBack(order, never());
          expect({ what, listed: await listed(order.object) }).toEqual({ what, listed: [] });
          expect(await lab.visit(issued)).toBeUndefined();
        }
      });
    }

    function failing(): void {
      test("a target that is not there is said to be down, and worth another try", async () => {
        const away = await lab.unreachable();
        const order = orderFor(away);
        for (const attempt of [
          () => away.provision(order, never()),
          () => away.issue(order, asking(order.notAfter), never()),
          () => away.takeBack(order, never()),
          () => away.listOurs(never()),
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
        if (lab.at === undefined) return expect(connector.kind).toBe("ssh");
        const sockets = new Set<Socket>();
        const silent = createServer((socket) => void sockets.add(socket.on("error", () => {})));
        const mute = lab.at(await listeningPort(silent));
        for (const attempt of [
          (signal: AbortSignal) => mute.provision(orderFor(mute), signal),
          (signal: AbortSignal) => mute.takeBack(orderFor(mute), signal),
          (signal: AbortSignal) => mute.listOurs(signal),
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
        const order = orderFor(connector);
        await expect(connector.provision(order, AbortSignal.abort())).rejects.toBeInstanceOf(ConnectorFault);
        expect(await listed(order.object)).toEqual([]);
      });

      test("a check changes nothing, whoever is in stays in, and it calls nothing in order that it did not try", async () => {
        const { order, issued } = await given();
        const visitor = await visitorOf(issued);
        const before = await connector.listOurs(never());
        const findings = await connector.check(never());
        expect(await connector.listOurs(never())).toEqual(before);
        expect(await visitor.reads()).toBe(true);
        for (const { what, result } of findings) {
          expect(what.includes("is not verified: ")).toBe(result === "not_verified");
        }
        await visitor.leave();
        await connector.takeBack(order, never());
      });

      test("the check finds nothing to mend", async () => {
        const findings = await connector.check(never());
        expect(findings.length).toBeGreaterThan(0);
        expect(findings.filter(({ result }) => result === "problem")).toEqual([]);
      });

      test("nothing is left", async () => {
        expect(await connector.listOurs(never())).toEqual([]);
      });
    }
  });
}

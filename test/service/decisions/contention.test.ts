import { describe, expect, test } from "vitest";
import { makeId } from "../../../src/core/values/ids.ts";
import type { PresentedCredential, Store } from "../../../src/service/ports/store.ts";
import { createServices, type Services } from "../../../src/service/services.ts";
import { createKeyedMutex } from "../../../src/service/async/keyed-mutex.ts";
import { approvalPolicy, autoPolicy, stageBy } from "../../core/support/policies.ts";
import {
  allStaff,
  unwrap,
  serviceHarnessForEach,
  refusalOrStatus,
  staff,
} from "../support/service-harness.ts";

const { harness, requestCommands, claimed, isActive } = serviceHarnessForEach(() => [
  approvalPolicy("dba", { stages: [stageBy("group:dba")] }),
]);

const crowd = Array.from({ length: 40 }, (_, place) => place);

describe("many concurrent changes of one record all succeed, and nobody is told to retry", () => {
  test("policies created at once", async () => {
    const admin = await harness().caller("cto", "admin");
    const { id: _, version: __, managedBy: ___, ...draft } = autoPolicy("x");
    const made = await Promise.all(
      crowd.map((place) => harness().services.policies.create(admin, { ...draft, name: `p${place}` })),
    );
    expect(made.filter((one) => "refused" in one)).toEqual([]);
  });

  test("rotations of one credential: each is answered, the last one is valid", async () => {
    const { request } = await claimed();
    const dev = await harness().caller("dev");
    const said = await Promise.all(crowd.map(() => requestCommands().rotate(dev, request.id)));
    const tokens = said.map((one) => unwrap(one).credential?.token ?? "");
    const open = await Promise.all(tokens.map(isActive));
    expect(open.filter((one) => one)).toHaveLength(1);
  });

  test("approvals that are all required", async () => {
    const guild = crowd.map((place) => staff(`guild${place}`, { groups: ["guild"] }));
    const all = [stageBy("group:guild", { required: guild.length })];
    await harness().configure([approvalPolicy("all", { stages: all })], {}, [...allStaff, ...guild]);
    const { request } = unwrap(await harness().ask("dev"));
    const said = await Promise.all(
      guild.map(async ({ name }) => requestCommands().approve(await harness().caller(name), request.id, {})),
    );
    expect(said.map(refusalOrStatus).toSorted()).toEqual([
      "APPROVED",
      ...guild.slice(1).map(() => "PENDING"),
    ]);
  });

  test("locks are granted in order, and an unused name is released", async () => {
    const mutex = createKeyedMutex();
    const order: number[] = [];
    const taken = crowd.map(async (place) => {
      const end = await mutex.acquire("a");
      order.push(place);
      end();
    });
    await Promise.all(taken);
    expect(order).toEqual(crowd);
    (await mutex.acquire("b"))();
    (await mutex.acquire("b"))();
  });
});

/** The services as they are while somebody replaces the credential that has just been looked up. */
function servicesDuring(rotate: () => Promise<unknown>): Services {
  const store: Store = {
    ...harness().store,
    credential: async (hash): Promise<PresentedCredential | undefined> => {
      const found = await harness().store.credential(hash);
      await rotate();
      return found;
    },
  };
  return createServices(
    { ...harness().context, store },
    async () => {},
    (fault) => {
      throw fault;
    },
  );
}

describe("a token that is being replaced", () => {
  test.each(["completes", "reports"] as const)("no longer ends anything: it %s", async (verb) => {
    const { request, token: old } = await claimed();
    const dev = await harness().caller("dev");
    let next = "";
    const { requestCommands: busy, tokenChecks: checking } = servicesDuring(async () => {
      next = unwrap(await requestCommands().rotate(dev, request.id)).credential?.token ?? "";
    });
    if (verb === "reports") await checking.report(old);
    else expect(refusalOrStatus(await busy.completeByToken(old, request.id))).toBe("unauthenticated");
    expect(await isActive(next)).toBe(true);
  });
});

test("emergency access is granted although nobody could be alerted", async () => {
  const told: unknown[] = [];
  const { requestCommands: loud } = createServices(
    harness().context,
    async () => {
      throw new Error("the relay has a fault");
    },
    (fault) => told.push(fault),
  );
  const { breakGlass } = (await harness().context.rulebook()).book.rules;
  const oncall = [{ kind: "identity", id: makeId("identity", "dev") } as const];
  await harness().configure([], { breakGlass: { ...breakGlass, allowed: oncall } });
  const input = {
    identityId: "id_dev",
    reason: "fire",
    scopes: ["read:a:1"],
    duration: "1h",
    breakGlass: true,
  };
  expect(refusalOrStatus(await loud.ask(await harness().caller("dev"), input))).toBe("ACTIVE");
  expect(told).toHaveLength(1);
});

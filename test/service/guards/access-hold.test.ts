import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { refuse } from "../../../src/core/values/refusals.ts";
import { parseSelector } from "../../../src/core/values/identity.ts";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { emptyRules } from "../../../src/core/policy/policy.ts";
import { approvalPolicy, autoPolicy, stageBy } from "../../core/support/policies.ts";
import { openTargetHarness, statesOf } from "../support/target-harness.ts";
import {
  unwrap,
  openServiceHarness,
  refusalOrStatus,
  type ServiceHarness,
} from "../support/service-harness.ts";

let harness: ServiceHarness;

const below = (value: string) => [{ type: "RESOURCE", operator: "STARTS_WITH", value } as const];
const selector = (text: string) => assertPresent(parseSelector(text), text);

beforeEach(async () => {
  harness = await openServiceHarness();
  const { breakGlass } = emptyRules;
  await harness.configure(
    [
      autoPolicy("auto", { conditions: below("auto:") }),
      approvalPolicy("asked", { stages: [stageBy("group:dba", { required: 2 })] }),
    ],
    {
      breakGlass: {
        ...breakGlass,
        allowed: [selector("identity:id_dev")],
        review: { ...breakGlass.review, by: [selector("group:security")] },
      },
    },
  );
});
afterEach(() => harness.close());

const behind = refuse("clock_behind", "The clock is behind.");
const hold = (): void => harness.hold(behind);
const requestCommands = () => harness.services.requestCommands;
const asked = async (): Promise<string> => unwrap(await harness.ask("dev")).request.id;
async function approved(): Promise<string> {
  const id = await asked();
  for (const name of ["ann", "bob"])
    unwrap(await requestCommands().approve(await harness.caller(name), id, {}));
  return id;
}
async function active(): Promise<{ readonly id: string; readonly token: string }> {
  const id = await approved();
  const { credential } = unwrap(await requestCommands().claim(await harness.caller("dev"), id));
  return { id, token: assertPresent(credential, "credential").token };
}
/** What is stored of access: to be the same after a refusal. */
async function stored(): Promise<unknown> {
  const { rows } = await harness.store.requests({ now: harness.clock.now() }, { limit: 50 });
  return rows;
}

const giving: Record<string, () => Promise<() => Promise<string>>> = {
  "asking for approval": async () => async () => refusalOrStatus(await harness.ask("dev")),
  "asking for what is approved automatically": async () => async () =>
    refusalOrStatus(await harness.ask("dev", { scopes: ["read:auto:a"], duration: "1h" })),
  "taking emergency access": async () => async () =>
    refusalOrStatus(await harness.ask("dev", { breakGlass: true, duration: "30m" })),
  "a first approval": async () => {
    const id = await asked();
    return async () => refusalOrStatus(await requestCommands().approve(await harness.caller("ann"), id, {}));
  },
  claiming: async () => {
    const id = await approved();
    return async () => refusalOrStatus(await requestCommands().claim(await harness.caller("dev"), id));
  },
  rotating: async () => {
    const { id } = await active();
    return async () => refusalOrStatus(await requestCommands().rotate(await harness.caller("dev"), id));
  },
  extending: async () => {
    const { id } = await active();
    const more = { duration: "1h", reason: "not done" };
    return async () => refusalOrStatus(await requestCommands().extend(await harness.caller("dev"), id, more));
  },
};

test.each(Object.entries(giving))(
  "while new access is held back, %s is refused and changes nothing",
  async (_, prepare) => {
    const act = await prepare();
    const before = await stored();
    hold();
    expect(await act()).toBe("clock_behind");
    expect(await stored()).toEqual(before);
    harness.hold(undefined);
    expect(await act()).not.toBe("clock_behind");
  },
);

const ending: Record<string, () => Promise<() => Promise<string>>> = {
  "a denial": async () => {
    const id = await asked();
    return async () => refusalOrStatus(await requestCommands().deny(await harness.caller("ann"), id, "no"));
  },
  "a cancellation": async () => {
    const id = await approved();
    return async () => refusalOrStatus(await requestCommands().cancel(await harness.caller("dev"), id));
  },
  "a revocation": async () => {
    const { id } = await active();
    return async () =>
      refusalOrStatus(await requestCommands().revoke(await harness.caller("ann"), id, "over"));
  },
  "a completion": async () => {
    const { id } = await active();
    return async () => refusalOrStatus(await requestCommands().complete(await harness.caller("dev"), id));
  },
  "a completion by the token": async () => {
    const { id, token } = await active();
    return async () => refusalOrStatus(await requestCommands().completeByToken(token, id));
  },
  "a review that ends it": async () => {
    const { request } = unwrap(await harness.ask("dev", { breakGlass: true, duration: "30m" }));
    const judgement = { outcome: "unjustified", comment: "no" } as const;
    return async () =>
      refusalOrStatus(await requestCommands().review(await harness.caller("sec"), request.id, judgement));
  },
};

test.each(Object.entries(ending))("while new access is held back, %s works", async (_, prepare) => {
  const act = await prepare();
  hold();
  expect(["DENIED", "CANCELLED", "REVOKED", "COMPLETED"]).toContain(await act());
});

test("while new access is held back, checks answer, the clock ends access, and people are deactivated", async () => {
  const { id, token } = await active();
  hold();
  expect((await harness.services.tokenChecks.introspect(token)).active).toBe(true);
  harness.clock.pass(4 * 3_600_000);
  expect((await harness.services.tokenChecks.introspect(token)).active).toBe(false);
  expect(await harness.services.grants.tick(id)).toBe(true);
  const admin = await harness.caller("cto", "admin");
  expect(await harness.services.directory.change(admin, "id_dev", { active: false })).toMatchObject({
    enabled: false,
  });
});

test("while new access is held back, nothing is prepared or issued at targets, and take-backs go on", async () => {
  const targets = await openTargetHarness();
  onTestFinished(() => targets.close());
  const [first, second] = [
    await targets.holding(),
    await targets.approved({ scopes: ["write:prod:orders-db"] }),
  ];
  const before = [...targets.target.calls];
  targets.hold(behind);
  expect(refusalOrStatus(await targets.claim(second))).toBe("clock_behind");
  const dev = await targets.caller("dev");
  expect(refusalOrStatus(await targets.services.requestCommands.rotate(dev, first.id))).toBe("clock_behind");
  expect(targets.target.calls).toEqual(before);
  expect(refusalOrStatus(await targets.services.requestCommands.complete(dev, first.id))).toBe("COMPLETED");
  await targets.tick();
  expect(await statesOf(targets, first.id)).toEqual(["REVOKED"]);
});

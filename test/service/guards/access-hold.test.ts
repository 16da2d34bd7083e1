import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { refuse } from "../../../src/core/values/refusals.ts";
import { parseSelector } from "../../../src/core/values/identity.ts";
import { present } from "../../../src/core/values/assert.ts";
import { emptyRules } from "../../../src/core/policy/policy.ts";
import { approvalPolicy, autoPolicy, stageBy } from "../../core/support/policies.ts";
import { openTargetOffice, statesOf } from "../support/target-harness.ts";
import { granted, openOffice, saidTo, type Office } from "../support/service-harness.ts";

let office: Office;

const below = (value: string) => [{ type: "RESOURCE", operator: "STARTS_WITH", value } as const];
const selector = (text: string) => present(parseSelector(text), text);

beforeEach(async () => {
  office = await openOffice();
  const { breakGlass } = emptyRules;
  await office.configure(
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
afterEach(() => office.close());

const behind = refuse("clock_behind", "The clock is behind.");
const hold = (): void => office.hold(behind);
const desk = () => office.services.desk;
const asked = async (): Promise<string> => granted(await office.ask("dev")).request.id;
async function approved(): Promise<string> {
  const id = await asked();
  for (const name of ["ann", "bob"]) granted(await desk().approve(await office.caller(name), id, {}));
  return id;
}
async function active(): Promise<{ readonly id: string; readonly token: string }> {
  const id = await approved();
  const { credential } = granted(await desk().claim(await office.caller("dev"), id));
  return { id, token: present(credential, "credential").token };
}
/** What is stored of access: to be the same after a refusal. */
async function stored(): Promise<unknown> {
  const { rows } = await office.store.requests({ now: office.clock.now() }, { limit: 50 });
  return rows;
}

const giving: Record<string, () => Promise<() => Promise<string>>> = {
  "asking for approval": async () => async () => saidTo(await office.ask("dev")),
  "asking for what is approved automatically": async () => async () =>
    saidTo(await office.ask("dev", { scopes: ["read:auto:a"], duration: "1h" })),
  "taking emergency access": async () => async () =>
    saidTo(await office.ask("dev", { breakGlass: true, duration: "30m" })),
  "a first approval": async () => {
    const id = await asked();
    return async () => saidTo(await desk().approve(await office.caller("ann"), id, {}));
  },
  claiming: async () => {
    const id = await approved();
    return async () => saidTo(await desk().claim(await office.caller("dev"), id));
  },
  rotating: async () => {
    const { id } = await active();
    return async () => saidTo(await desk().rotate(await office.caller("dev"), id));
  },
  extending: async () => {
    const { id } = await active();
    const more = { duration: "1h", reason: "not done" };
    return async () => saidTo(await desk().extend(await office.caller("dev"), id, more));
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
    office.hold(undefined);
    expect(await act()).not.toBe("clock_behind");
  },
);

const ending: Record<string, () => Promise<() => Promise<string>>> = {
  "a denial": async () => {
    const id = await asked();
    return async () => saidTo(await desk().deny(await office.caller("ann"), id, "no"));
  },
  "a cancellation": async () => {
    const id = await approved();
    return async () => saidTo(await desk().cancel(await office.caller("dev"), id));
  },
  "a revocation": async () => {
    const { id } = await active();
    return async () => saidTo(await desk().revoke(await office.caller("ann"), id, "over"));
  },
  "a completion": async () => {
    const { id } = await active();
    return async () => saidTo(await desk().complete(await office.caller("dev"), id));
  },
  "a completion by the token": async () => {
    const { id, token } = await active();
    return async () => saidTo(await desk().completeByToken(token, id));
  },
  "a review that ends it": async () => {
    const { request } = granted(await office.ask("dev", { breakGlass: true, duration: "30m" }));
    const judgement = { outcome: "unjustified", comment: "no" } as const;
    return async () => saidTo(await desk().review(await office.caller("sec"), request.id, judgement));
  },
};

test.each(Object.entries(ending))("while new access is held back, %s works", async (_, prepare) => {
  const act = await prepare();
  hold();
  expect(["DENIED", "CANCELLED", "REVOKED", "COMPLETED"]).toContain(await act());
});

test("while new access is held back, checks answer, time ends access, and people are deactivated", async () => {
  const { id, token } = await active();
  hold();
  expect((await office.services.checking.introspect(token)).active).toBe(true);
  office.clock.pass(4 * 3_600_000);
  expect((await office.services.checking.introspect(token)).active).toBe(false);
  expect(await office.services.grants.tick(id)).toBe(true);
  const admin = await office.caller("cto", "admin");
  expect(await office.services.directory.change(admin, "id_dev", { active: false })).toMatchObject({
    enabled: false,
  });
});

test("while new access is held back, nothing is made ready or issued at targets, and take-backs go on", async () => {
  const targets = await openTargetOffice();
  onTestFinished(() => targets.close());
  const [first, second] = [
    await targets.holding(),
    await targets.approved({ scopes: ["write:prod:orders-db"] }),
  ];
  const before = [...targets.target.calls];
  targets.hold(behind);
  expect(saidTo(await targets.claim(second))).toBe("clock_behind");
  const dev = await targets.caller("dev");
  expect(saidTo(await targets.services.desk.rotate(dev, first.id))).toBe("clock_behind");
  expect(targets.target.calls).toEqual(before);
  expect(saidTo(await targets.services.desk.complete(dev, first.id))).toBe("COMPLETED");
  await targets.tick();
  expect(await statesOf(targets, first.id)).toEqual(["REVOKED"]);
});

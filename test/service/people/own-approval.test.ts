import { describe, expect, test } from "vitest";
import { makeId, type IdentityId } from "../../../src/core/values/ids.ts";
import type { Via } from "../../../src/core/values/identity.ts";
import { createBootstrapService } from "../../../src/service/people/bootstrap-service.ts";
import type { Caller } from "../../../src/service/ports/caller.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { httpRules } from "../../http/support/http-harness.ts";
import { allStaff, unwrap, serviceHarnessForEach, refusalOrStatus } from "../support/service-harness.ts";

const policies = () => [approvalPolicy("dba", { stages: [stageBy("group:dba pat@company.com")] })];
const { harness, requestCommands } = serviceHarnessForEach(policies);

const idOf = (name: string): IdentityId => makeId("identity", name);
const account = (user: string) => ({ surface: "slack", team: "T0TEAM", user }) as const;

/** With the key that this caller makes for somebody, as its bearer. */
async function keyBy(maker: Caller, name: string, ...roles: Caller["roles"]): Promise<Caller> {
  const { apiKeys: keys } = harness().services;
  const { token } = unwrap(await keys.create(maker, { identityId: `id_${name}`, roles, name: null }));
  return unwrap(await keys.authenticate(token));
}
/** A person with an administrator's key that the operator made. */
async function admin(name: string): Promise<Caller> {
  return keyBy(await operator(), name, "admin", "requester", "approver");
}
const operator = async (): Promise<Caller> => ({
  ...(await harness().caller("cto", "admin")),
  key: { id: makeId("key", "operator"), mintedBy: idOf("cto") },
});
const asked = async (name = "dev"): Promise<string> => unwrap(await harness().ask(name)).request.id;
const approve = async (by: Caller, id: string): Promise<string> =>
  refusalOrStatus(await requestCommands().approve(by, id, {}));

/** pat decides like the others of group:dba, and is kept by the API. */
async function pat(maker: Caller, email = "pat@company.com"): Promise<void> {
  unwrap(
    await harness().services.directory.create(maker, {
      id: idOf("pat"),
      kind: "HUMAN",
      name: "pat",
      email,
      groups: ["dba"],
      links: {},
      active: true,
    }),
  );
}
const inChat = async (user: string, via: Via = "slack"): Promise<Caller> => {
  const caller = unwrap(await harness().services.accountLinks.callerOf(account(user)));
  return { ...caller, via };
};

describe("a key that the requester created for an approver", () => {
  test("cannot approve or deny for them; a key from another person can", async () => {
    const id = await asked();
    const ann = await keyBy(await admin("dev"), "ann", "approver");
    expect(await approve(ann, id)).toBe("self_approval");
    expect(refusalOrStatus(await requestCommands().deny(ann, id, "no"))).toBe("self_approval");
    expect(await approve(await keyBy(await admin("bob"), "ann", "approver"), id)).toBe("APPROVED");
  });

  test("decides about requests of others", async () => {
    const ann = await keyBy(await admin("dev"), "ann", "approver");
    expect(await approve(ann, await asked("sec"))).toBe("APPROVED");
  });

  test("also not through any number of keys in between", async () => {
    const bot = await keyBy(await admin("dev"), "bot", "admin");
    const sec = await keyBy(bot, "sec", "admin");
    const ann = await keyBy(sec, "ann", "approver");
    expect(await approve(ann, await asked())).toBe("self_approval");
  });

  test("also not when the requester asked for another person", async () => {
    const bob = await admin("bob");
    const { request } = unwrap(
      await requestCommands().ask(bob, {
        identityId: "id_dev",
        reason: "r",
        scopes: ["read:x"],
        duration: "1h",
      }),
    );
    expect(await approve(await keyBy(bob, "ann", "approver"), request.id)).toBe("self_approval");
  });

  test("but a key from the operator's key decides about what that key requested for others", async () => {
    const key = unwrap(await createBootstrapService(harness().context).ensureAdminKey(undefined, undefined));
    if (key.kind !== "made") throw new Error("it makes its key at the first start");
    const builtIn = unwrap(await harness().services.apiKeys.authenticate(key.token));
    const ask = { identityId: "id_dev", reason: "r", scopes: ["read:x"], duration: "1h" };
    const { request } = unwrap(await requestCommands().ask(builtIn, ask));
    expect(request).toMatchObject({ identityId: "id_dev", requestedBy: "id_admin" });
    expect(await approve(await keyBy(builtIn, "ann", "approver"), request.id)).toBe("APPROVED");
  });

  test("cannot approve an extension or review an emergency", async () => {
    const ann = await keyBy(await admin("dev"), "ann", "approver");
    const id = await asked();
    await approve(await harness().caller("ann"), id);
    unwrap(await requestCommands().claim(await harness().caller("dev"), id));
    const more = unwrap(
      await requestCommands().extend(await harness().caller("dev"), id, { duration: "1h", reason: "r" }),
    );
    expect(await approve(ann, more.request.id)).toBe("self_approval");

    await harness().configure(policies(), httpRules);
    const used = unwrap(await harness().ask("dev", { breakGlass: true, scopes: ["read:y"], duration: "1h" }));
    const judge = (by: Caller) =>
      requestCommands().review(by, used.request.id, { outcome: "justified", comment: "fine" });
    expect(refusalOrStatus(await judge(await keyBy(await admin("dev"), "sec", "approver")))).toBe(
      "self_approval",
    );
    expect(refusalOrStatus(await judge(await harness().caller("sec")))).toBe("ACTIVE");
  });
});

describe("an account that the requester linked to an approver", () => {
  test("cannot decide for them, however it was linked; linked by another person it can", async () => {
    const dev = await admin("dev");
    const id = await asked();
    unwrap(await harness().services.accountLinks.link(dev, account("U0OTHER"), "id_ann"));
    expect(await approve(await inChat("U0OTHER"), id)).toBe("self_approval");
    unwrap(await harness().services.directory.unlink(dev, "id_ann", "slack"));
    unwrap(await harness().services.accountLinks.link(await operator(), account("U0OTHER"), "id_ann"));
    expect(await approve(await inChat("U0OTHER"), id)).toBe("APPROVED");
  });

  test("the same for identities of the API, and an unchanged link keeps its origin", async () => {
    const dev = await admin("dev");
    await pat(await operator());
    const { directory } = harness().services;
    const links = { slack: { teamId: "T0TEAM", userId: "U0PAT" } };
    unwrap(await directory.change(dev, "id_pat", { links }));
    unwrap(await directory.change(await operator(), "id_pat", { links, name: "Pat" }));
    expect(await approve(await inChat("U0PAT"), await asked())).toBe("self_approval");
  });

  test("survives an unchanged reload of the file", async () => {
    unwrap(await harness().services.accountLinks.link(await admin("dev"), account("U0OTHER"), "id_ann"));
    const before = await harness().store.identity(idOf("ann"));
    await harness().configure(policies());
    expect(await harness().store.identity(idOf("ann"))).toEqual(before);
    expect(before?.value.origins?.slack?.by).toEqual([idOf("dev"), idOf("cto")]);
    expect(await approve(await inChat("U0OTHER"), await asked())).toBe("self_approval");
  });

  test("loses its origin when the file names the same link", async () => {
    unwrap(await harness().services.accountLinks.link(await admin("dev"), account("U0OTHER"), "id_ann"));
    const links = { slack: { teamId: "T0TEAM", userId: "U0OTHER" } };
    const people = allStaff.map((one) => (one.name === "ann" ? { ...one, links } : one));
    await harness().configure(policies(), {}, people);
    expect(await approve(await inChat("U0OTHER"), await asked())).toBe("APPROVED");
  });

  test("cannot decide through what that person created afterwards either", async () => {
    await harness().configure(policies(), {
      chatRoles: { admin: [{ kind: "group", group: "security" }], auditor: [] },
    });
    unwrap(await harness().services.accountLinks.link(await admin("dev"), account("U0SEC"), "id_sec"));
    const sec = await inChat("U0SEC");
    expect(sec.roles).toContain("admin");
    unwrap(await harness().services.accountLinks.link(sec, account("U0ANN"), "id_ann"));
    expect(await approve(await inChat("U0ANN"), await asked())).toBe("self_approval");
  });
});

describe("an address that the requester gave an approver", () => {
  test("cannot decide for them on any surface once it was changed", async () => {
    await pat(await operator(), "patricia@company.com");
    const dev = await admin("dev");
    const withKey = await keyBy(await operator(), "pat", "approver");
    const id = await asked();
    unwrap(await harness().services.directory.change(dev, "id_pat", { email: "pat@company.com" }));
    expect(await approve(withKey, id)).toBe("self_approval");
    unwrap(await harness().services.directory.change(await operator(), "id_pat", { email: "p@company.com" }));
    expect(await approve(withKey, id)).toBe("APPROVED");
  });

  test("cannot decide for them through the account that was linked by it", async () => {
    await pat(await admin("dev"));
    unwrap(await harness().services.accountLinks.linkByEmail(account("U0PAT"), "pat@company.com"));
    expect(await approve(await inChat("U0PAT"), await asked())).toBe("self_approval");
    expect(await approve(await inChat("U0PAT"), await asked("sec"))).toBe("APPROVED");
  });

  test("set when the person was created does not affect people recognised by other means", async () => {
    await pat(await admin("dev"));
    expect(await approve(await keyBy(await operator(), "pat", "approver"), await asked())).toBe("APPROVED");
  });
});

test("a decision that is refused for this is recorded", async () => {
  const id = await asked();
  await approve(await keyBy(await admin("dev"), "ann", "approver"), id);
  const refusals = (await harness().audit()).filter((row) => row.action === "decision.refused");
  expect(refusals.map((row) => row.data["code"])).toEqual(["self_approval"]);
});

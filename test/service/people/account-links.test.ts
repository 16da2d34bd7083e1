import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { isRefusal } from "../../../src/core/values/refusals.ts";
import { parseSelector, type ChatAccount, type Identity } from "../../../src/core/values/identity.ts";
import { hourMs } from "../../../src/core/values/time.ts";
import type { Caller } from "../../../src/service/ports/caller.ts";
import { linkRequestsMax } from "../../../src/service/people/account-link-service.ts";
import { approvalPolicy } from "../../core/support/policies.ts";
import { allStaff, openServiceHarness, staff, type ServiceHarness } from "../support/service-harness.ts";

let harness: ServiceHarness;
const policies = [approvalPolicy("all")];
const rules = { chatRoles: { admin: [assertPresent(parseSelector("group:dba"), "dba")], auditor: [] } };
const slack = (user: string): ChatAccount => ({ surface: "slack", team: "T0123", user });
const teams: ChatAccount = { surface: "teams", team: "tenant", user: "object" };
const people = () => harness.services.accountLinks;
const admin = async (): Promise<Caller> => ({ ...(await harness.caller("cto", "admin")), via: "slack" });
const codeOf = (said: unknown): string => (isRefusal(said) ? said.refused : "ok");
const reload = (staffNow = allStaff) => harness.configure(policies, rules, staffNow);
const linksOf = async (name: string): Promise<Identity["links"]> =>
  assertPresent(await harness.store.identity(staff(name).id), name).value.links;

beforeEach(async () => {
  harness = await openServiceHarness();
  await reload();
});
afterEach(async () => {
  await harness.close();
});

describe("the person of an account", () => {
  test("follows from the explicit link, with the roles of chat, read at every press", async () => {
    expect(codeOf(await people().callerOf(slack("U1")))).toBe("identity_not_linked");
    await people().link(await admin(), slack("U1"), "id_ann");
    expect(await people().callerOf(slack("U1"))).toMatchObject({
      identity: { id: "id_ann" },
      roles: ["requester", "approver", "admin"],
      via: "slack",
    });
    await harness.services.directory.change(await harness.caller("cto", "admin"), "id_ann", {
      active: false,
    });
    expect(codeOf(await people().callerOf(slack("U1")))).toBe("identity_inactive");
  });

  test("is nobody in another workspace or on another platform with the same ids", async () => {
    await people().link(await admin(), slack("U1"), "id_ann");
    for (const other of [
      { ...slack("U1"), team: "T9" },
      { ...slack("U1"), surface: "teams" as const },
    ]) {
      expect(codeOf(await people().callerOf(other))).toBe("identity_not_linked");
    }
  });
});

describe("an administrator's link", () => {
  test("is recorded with its author, and a repeated press changes nothing", async () => {
    await people().link(await admin(), slack("U1"), "id_ann");
    await people().link(await admin(), slack("U1"), "id_ann");
    const records = (await harness.audit()).filter((one) => one.action === "identity.linked");
    expect(records).toHaveLength(1);
    expect(JSON.parse(assertPresent(records[0], "a record").body)).toMatchObject({
      actor: { id: "id_cto", via: "slack" },
      identity: "id_ann",
      data: { surface: "slack", team: "T0123", user: "U1", how: "administrator" },
    });
  });

  test("never links an account to two people, or two accounts of a platform to one", async () => {
    await people().link(await admin(), slack("U1"), "id_ann");
    expect(codeOf(await people().link(await admin(), slack("U1"), "id_bob"))).toBe("name_taken");
    expect(codeOf(await people().link(await admin(), slack("U2"), "id_ann"))).toBe("name_taken");
    expect(codeOf(await people().link(await admin(), teams, "id_ann"))).toBe("ok");
  });

  test("of two at the same moment one wins", async () => {
    const said = await Promise.all(
      ["id_ann", "id_bob"].map(async (id) => people().link(await admin(), slack("U1"), id)),
    );
    expect(said.map(codeOf).toSorted()).toEqual(["name_taken", "ok"]);
  });

  test("is for people who are active, and made by administrators only", async () => {
    expect(codeOf(await people().link(await harness.caller("ann"), slack("U1"), "id_ann"))).toBe(
      "missing_role",
    );
    expect(codeOf(await people().link(await admin(), slack("U1"), "id_bot"))).toBe("identity_unknown");
    expect(codeOf(await people().link(await admin(), slack("U1"), "id_nobody"))).toBe("identity_unknown");
    await harness.services.directory.change(await harness.caller("cto", "admin"), "id_bob", {
      active: false,
    });
    expect(codeOf(await people().link(await admin(), slack("U1"), "id_bob"))).toBe("identity_inactive");
  });
});

describe("a link made in chat for a person of the file", () => {
  test("survives reloads of a changed or unchanged file", async () => {
    await people().link(await admin(), slack("U1"), "id_ann");
    await reload();
    await reload(allStaff.map((one) => (one.name === "ann" ? { ...one, groups: ["other"] } : one)));
    expect(await people().callerOf(slack("U1"))).toMatchObject({
      identity: { id: "id_ann", groups: ["other"] },
    });
  });

  test("is dropped when the file names another account for that person, and does not return", async () => {
    await people().link(await admin(), slack("U1"), "id_ann");
    const named = { slack: { teamId: "T0123", userId: "U2" } };
    await reload(allStaff.map((one) => (one.name === "ann" ? { ...one, links: named } : one)));
    expect(await linksOf("ann")).toEqual(named);
    expect(codeOf(await people().callerOf(slack("U1")))).toBe("identity_not_linked");
    await reload();
    expect(await linksOf("ann")).toEqual({});
  });

  test("is dropped when the file links its account to another person", async () => {
    await people().link(await admin(), slack("U1"), "id_ann");
    const named = { slack: { teamId: "T0123", userId: "U1" } };
    await reload(allStaff.map((one) => (one.name === "bob" ? { ...one, links: named } : one)));
    expect(await people().callerOf(slack("U1"))).toMatchObject({ identity: { id: "id_bob" } });
    expect(await linksOf("ann")).toEqual({});
  });

  test("stays next to the file's link on another platform", async () => {
    const named = { teams: { tenantId: "tenant", aadObjectId: "object" } };
    const withTeams = allStaff.map((one) => (one.name === "ann" ? { ...one, links: named } : one));
    await reload(withTeams);
    await people().link(await admin(), slack("U1"), "id_ann");
    await reload(withTeams);
    expect(await linksOf("ann")).toEqual({ ...named, slack: { teamId: "T0123", userId: "U1" } });
  });

  test("is dropped when the person is removed from the file, and its account is free", async () => {
    await people().link(await admin(), slack("U1"), "id_ann");
    await reload(allStaff.filter((one) => one.name !== "ann"));
    expect(codeOf(await people().callerOf(slack("U1")))).toBe("identity_not_linked");
    await people().link(await admin(), slack("U1"), "id_bob");
    await reload();
    expect(await people().callerOf(slack("U1"))).toMatchObject({ identity: { id: "id_bob" } });
  });
});

describe("removing a link", () => {
  test("frees the account permanently, for people of the file and the API", async () => {
    await people().link(await admin(), slack("U1"), "id_ann");
    await people().link(await admin(), teams, "id_ann");
    const { directory } = harness.services;
    expect(await directory.unlink(await admin(), "id_ann", "slack")).toMatchObject({ name: "ann" });
    expect(codeOf(await people().callerOf(slack("U1")))).toBe("identity_not_linked");
    await reload();
    expect(codeOf(await people().callerOf(slack("U1")))).toBe("identity_not_linked");
    expect(codeOf(await people().callerOf(teams))).toBe("ok");
    expect(codeOf(await directory.unlink(await admin(), "id_ann", "slack"))).toBe("not_found");
    expect(codeOf(await directory.unlink(await harness.caller("ann"), "id_ann", "teams"))).toBe(
      "missing_role",
    );
  });

  test("is refused where the file makes the link", async () => {
    const named = { slack: { teamId: "T0123", userId: "U2" } };
    await reload(allStaff.map((one) => (one.name === "ann" ? { ...one, links: named } : one)));
    const said = await harness.services.directory.unlink(await admin(), "id_ann", "slack");
    expect(codeOf(said)).toBe("managed_by_file");
  });
});

describe("linking by e-mail", () => {
  test("finds the one active person with this address, creates an explicit link, and is recorded", async () => {
    expect(await people().linkByEmail(slack("U1"), "Ann@Company.com")).toMatchObject({
      identity: { id: "id_ann" },
    });
    const record = (await harness.audit()).find((one) => one.action === "identity.linked");
    expect(record?.data).toMatchObject({ user: "U1", how: "email" });
  });

  test("happens once: a later address change does not move it", async () => {
    await people().linkByEmail(slack("U1"), "ann@company.com");
    expect(await people().linkByEmail(slack("U1"), "bob@company.com")).toMatchObject({
      identity: { id: "id_ann" },
    });
    expect(codeOf(await people().linkByEmail(slack("U2"), "ann@company.com"))).toBe("identity_not_linked");
    expect(await linksOf("bob")).toEqual({});
  });

  test("is refused for programs, inactive people and unknown addresses", async () => {
    await harness.services.directory.change(await harness.caller("cto", "admin"), "id_bob", {
      active: false,
    });
    for (const email of [
      "bot@company.com",
      "bob@company.com",
      "nobody@company.com",
      "",
      "ann@company.com,x",
    ]) {
      expect(codeOf(await people().linkByEmail(slack("U1"), email))).toBe("identity_not_linked");
    }
  });
});

describe("asking for a link", () => {
  const who = { displayName: "Ann", email: "ann@company.com" };

  test("notifies every administrator, with the ids and the likely person", async () => {
    expect(await people().askForLink(slack("U1"), who)).toEqual({ asked: 3 });
    const due = await harness.store.dueEffects(harness.clock.now(), 10);
    expect(due.map(({ effect }) => effect)).toContainEqual({
      kind: "request_link",
      account: slack("U1"),
      ...who,
      candidateId: "id_ann",
      to: ["id_ann", "id_bob", "id_cid"],
    });
  });

  test("suggests no inactive person, no program and nobody with an account there", async () => {
    await harness.services.directory.change(await harness.caller("cto", "admin"), "id_bob", {
      active: false,
    });
    await people().link(await admin(), slack("U9"), "id_ann");
    for (const name of ["ann", "bob", "bot", "nobody"]) {
      await people().askForLink(slack(`U_${name}`), { displayName: name, email: `${name}@company.com` });
    }
    const due = await harness.store.dueEffects(harness.clock.now(), 10);
    const asks = due.flatMap(({ effect }) => (effect.kind === "request_link" ? [effect] : []));
    expect(asks.map((one) => one.candidateId)).toEqual([null, null, null, null]);
  });

  test("is limited per account, and possible again after an hour", async () => {
    const ask = async () => codeOf(await people().askForLink(slack("U1"), who));
    for (let count = 0; count < linkRequestsMax; count++) expect(await ask()).toBe("ok");
    expect(await ask()).toBe("rate_limited");
    expect(codeOf(await people().askForLink(slack("U2"), who))).toBe("ok");
    harness.clock.pass(hourMs + 1);
    expect(await ask()).toBe("ok");
  });

  test("is refused when linked already or without administrators", async () => {
    await people().link(await admin(), slack("U1"), "id_ann");
    expect(codeOf(await people().askForLink(slack("U1"), who))).toBe("name_taken");
    await harness.configure(policies);
    expect(codeOf(await people().askForLink(slack("U2"), who))).toBe("no_approvers");
  });
});

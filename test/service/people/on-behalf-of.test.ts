import { describe, expect, test } from "vitest";
import { StoreUnavailable, type Store } from "../../../src/service/ports/store.ts";
import { createServices } from "../../../src/service/services.ts";
import { approvalPolicy, autoPolicy, stageBy } from "../../core/support/policies.ts";
import { allStaff, granted, officeForEach, saidTo } from "../support/service-harness.ts";

const { office, desk, claimed, isActive } = officeForEach(() => [
  approvalPolicy("dba", { stages: [stageBy("group:dba")] }),
]);

describe("asking for somebody else", () => {
  test("needs the role admin; the credential stays with the subject", async () => {
    await office().configure([autoPolicy("auto")]);
    const admin = await office().caller("cto", "admin");
    const input = { identityId: "id_dev", reason: "r", scopes: ["read:a:1"], duration: "1h" };
    expect(saidTo(await desk().ask(await office().caller("ann"), input))).toBe("not_self");
    const asked = granted(await desk().ask(admin, input));
    expect(asked.request).toMatchObject({ status: "APPROVED", requestedBy: "id_cto", identityId: "id_dev" });
    expect(asked.credential).toBeUndefined();
    expect(
      saidTo(await desk().claim(await office().caller("cto", "admin", "requester"), asked.request.id)),
    ).toBe("not_requester");
    expect(saidTo(await desk().claim(await office().caller("dev"), asked.request.id))).toBe("ACTIVE");
  });
});

describe("deactivation", () => {
  test("is effective at once for checks and decisions, and ends what is open and live", async () => {
    const { id, token } = await claimed();
    const pending = granted(await office().ask("dev", { scopes: ["read:b:1"] }));
    await office().services.directory.change(await office().caller("cto", "admin"), "id_dev", {
      active: false,
    });
    expect(await isActive(token)).toBe(false);
    expect(saidTo(await office().ask("dev", { scopes: ["read:b:2"] }))).toBe("identity_inactive");
    const [due] = await office().store.dueEffects(office().clock.now(), 50);
    expect(due).toBeDefined();
    await office().services.grants.endAccessOf((await office().caller("dev")).identity.id, "gone");
    const auditor = await office().caller("cto", "auditor");
    expect(await office().services.reading.read(auditor, id)).toMatchObject({ status: "REVOKED" });
    expect(await office().services.reading.read(auditor, pending.request.id)).toMatchObject({
      status: "CANCELLED",
    });
  });

  test("ends the say of whoever was let in just before", async () => {
    const { id } = await claimed();
    const before = await office().caller("cto", "admin");
    await office().services.directory.change(await office().caller("lead", "admin"), "id_cto", {
      active: false,
    });
    expect(saidTo(await desk().revoke(before, id, "enough"))).toBe("identity_inactive");
    const asker = await office().caller("dev");
    const pending = granted(await office().ask("dev", { scopes: ["read:b:1"] }));
    await office().services.directory.change(await office().caller("lead", "admin"), "id_dev", {
      active: false,
    });
    expect(saidTo(await desk().cancel(asker, pending.request.id))).toBe("identity_inactive");
  });

  test("is done again when the store was too busy for it", async () => {
    const { id } = await claimed();
    const busy: Store = {
      ...office().store,
      commit: async () => ({ conflict: "version", what: `request:${id}` }),
    };
    const { grants } = createServices(
      { ...office().context, store: busy },
      async () => {},
      () => {},
    );
    const { identity } = await office().caller("dev");
    await expect(grants.endAccessOf(identity.id, "gone")).rejects.toThrow(StoreUnavailable);
  });

  test("outlives a reload of the file, and so does its end", async () => {
    const admin = await office().caller("cto", "admin");
    await office().services.directory.change(admin, "id_dev", { active: false });
    await office().configure([autoPolicy("auto")]);
    expect(saidTo(await office().ask("dev"))).toBe("identity_inactive");
    await office().services.directory.change(admin, "id_dev", { active: true });
    expect(saidTo(await office().ask("dev"))).toBe("ACTIVE");
  });

  test("who leaves the file is deactivated", async () => {
    await office().configure(
      [autoPolicy("auto")],
      {},
      allStaff.filter((one) => one.name !== "bob"),
    );
    expect(saidTo(await office().ask("bob"))).toBe("identity_inactive");
  });
});

import { describe, expect, test } from "vitest";
import { StoreUnavailable, type Store } from "../../../src/service/ports/store.ts";
import { createServices } from "../../../src/service/services.ts";
import { approvalPolicy, autoPolicy, stageBy } from "../../core/support/policies.ts";
import { allStaff, unwrap, serviceHarnessForEach, refusalOrStatus } from "../support/service-harness.ts";

const { harness, requestCommands, claimed, isActive } = serviceHarnessForEach(() => [
  approvalPolicy("dba", { stages: [stageBy("group:dba")] }),
]);

describe("requesting for another person", () => {
  test("needs the role admin; the credential stays with the subject", async () => {
    await harness().configure([autoPolicy("auto")]);
    const admin = await harness().caller("cto", "admin");
    const input = { identityId: "id_dev", reason: "r", scopes: ["read:a:1"], duration: "1h" };
    expect(refusalOrStatus(await requestCommands().ask(await harness().caller("ann"), input))).toBe(
      "not_self",
    );
    const asked = unwrap(await requestCommands().ask(admin, input));
    expect(asked.request).toMatchObject({ status: "APPROVED", requestedBy: "id_cto", identityId: "id_dev" });
    expect(asked.credential).toBeUndefined();
    expect(
      refusalOrStatus(
        await requestCommands().claim(await harness().caller("cto", "admin", "requester"), asked.request.id),
      ),
    ).toBe("not_requester");
    expect(
      refusalOrStatus(await requestCommands().claim(await harness().caller("dev"), asked.request.id)),
    ).toBe("ACTIVE");
  });
});

describe("deactivation", () => {
  test("takes effect immediately for checks and decisions, and ends open and live access", async () => {
    const { id, token } = await claimed();
    const pending = unwrap(await harness().ask("dev", { scopes: ["read:b:1"] }));
    await harness().services.directory.change(await harness().caller("cto", "admin"), "id_dev", {
      active: false,
    });
    expect(await isActive(token)).toBe(false);
    expect(refusalOrStatus(await harness().ask("dev", { scopes: ["read:b:2"] }))).toBe("identity_inactive");
    const [due] = await harness().store.dueEffects(harness().clock.now(), 50);
    expect(due).toBeDefined();
    await harness().services.grants.endAccessOf((await harness().caller("dev")).identity.id, "gone");
    const auditor = await harness().caller("cto", "auditor");
    expect(await harness().services.requestQueries.read(auditor, id)).toMatchObject({ status: "REVOKED" });
    expect(await harness().services.requestQueries.read(auditor, pending.request.id)).toMatchObject({
      status: "CANCELLED",
    });
  });

  test("ends the rights of a caller who was authenticated just before", async () => {
    const { id } = await claimed();
    const before = await harness().caller("cto", "admin");
    await harness().services.directory.change(await harness().caller("lead", "admin"), "id_cto", {
      active: false,
    });
    expect(refusalOrStatus(await requestCommands().revoke(before, id, "enough"))).toBe("identity_inactive");
    const asker = await harness().caller("dev");
    const pending = unwrap(await harness().ask("dev", { scopes: ["read:b:1"] }));
    await harness().services.directory.change(await harness().caller("lead", "admin"), "id_dev", {
      active: false,
    });
    expect(refusalOrStatus(await requestCommands().cancel(asker, pending.request.id))).toBe(
      "identity_inactive",
    );
  });

  test("is retried when the store was busy", async () => {
    const { id } = await claimed();
    const busy: Store = {
      ...harness().store,
      commit: async () => ({ conflict: "version", what: `request:${id}` }),
    };
    const { grants } = createServices(
      { ...harness().context, store: busy },
      async () => {},
      () => {},
    );
    const { identity } = await harness().caller("dev");
    await expect(grants.endAccessOf(identity.id, "gone")).rejects.toThrow(StoreUnavailable);
  });

  test("survives a reload of the file, and so does a reactivation", async () => {
    const admin = await harness().caller("cto", "admin");
    await harness().services.directory.change(admin, "id_dev", { active: false });
    await harness().configure([autoPolicy("auto")]);
    expect(refusalOrStatus(await harness().ask("dev"))).toBe("identity_inactive");
    await harness().services.directory.change(admin, "id_dev", { active: true });
    expect(refusalOrStatus(await harness().ask("dev"))).toBe("ACTIVE");
  });

  test("a person removed from the file is deactivated", async () => {
    await harness().configure(
      [autoPolicy("auto")],
      {},
      allStaff.filter((one) => one.name !== "bob"),
    );
    expect(refusalOrStatus(await harness().ask("bob"))).toBe("identity_inactive");
  });
});

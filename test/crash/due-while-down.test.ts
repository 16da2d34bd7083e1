import { describe, expect, test } from "vitest";
import { askedBelow, autoBelow, manyCalls, noSweep, staff } from "../support/company-config.ts";
import { api } from "../support/api-client.ts";
import { leavesNothingBehind } from "../support/leftover-processes.ts";
import { pause, startProgram } from "../support/program.ts";

leavesNothingBehind({ sideBySide: true });

const config = {
  identities: staff,
  policies: [
    autoBelow("auto:"),
    autoBelow("unclaimed:", { claimWindow: "1s" }),
    askedBelow("window:", { window: "1s", stages: [{ approvers: ["group:dba"] }] }),
    askedBelow("sla:", {
      stages: [
        {
          approvers: ["group:dba"],
          sla: "1s",
          reminders: ["1s"],
          escalateTo: [["identity:id_lead"]],
        },
      ],
    }),
  ],
  breakGlass: {
    allowed: ["group:oncall"],
    review: { by: ["group:security"], due: "1s" },
    notify: ["email:security@company.com"],
  },
};
// The one sweep there is runs at the start.
const env = { ...noSweep, ...manyCalls };

describe.concurrent("what came due while it was down", () => {
  test("has happened when the program answers again, and those concerned are told", async () => {
    const first = await startProgram({ config, env });
    const [dev, oncall] = [await first.person("dev"), await first.person("oncall")];
    const brief = (await dev.ask({ scopes: ["read:auto:a"], duration: "1s" })).body;
    const unclaimed = (await first.admin.ask({ identityId: dev.id, scopes: ["read:unclaimed:a"] })).body;
    const undecided = (await dev.ask({ scopes: ["read:window:a"] })).body;
    const slow = (await dev.ask({ scopes: ["read:sla:a"] })).body;
    const emergency = (await oncall.ask({ scopes: ["admin:auto:all"], breakGlass: true })).body;
    const live = (await dev.ask({ scopes: ["read:auto:b"], duration: "1h" })).body;
    await first.kill();
    await pause(1_500);

    const second = await startProgram({ folder: first.folder, env });
    const after = second.as(dev.id, dev.key);
    const toldAbout = async (id: string) => (await second.audit(id)).map(({ action }) => action);
    expect(await toldAbout(brief.id)).toContain("grant.expired");
    expect(await toldAbout(unclaimed.id)).toContain("request.timed_out");
    expect(await toldAbout(undecided.id)).toContain("request.timed_out");
    expect(await toldAbout(slow.id)).toEqual([
      "request.submitted",
      "approval.reminded",
      "approval.escalated",
    ]);
    expect(await toldAbout(emergency.id)).toContain("break_glass.review_overdue");
    expect(await toldAbout(live.id)).not.toContain("grant.expired");

    expect((await second.check(brief.credential.token, "read:auto:a")).http).toBe(401);
    expect((await second.check(live.credential.token, "read:auto:b")).http).toBe(200);
    expect((await after.read(brief.id)).body).toMatchObject({
      status: "EXPIRED",
      endedAt: brief.expiresAt,
    });
    const notices = async (id: string, notice: string) => {
      const heard = () => second.log.some((line) => line["notice"] === notice && line["request"] === id);
      while (!heard()) await pause(20);
    };
    await notices(brief.id, "ended");
    await notices(slow.id, "escalated");
    await notices(emergency.id, "review_overdue");
    await second.stop();
  });

  test("a deactivation that was answered is carried through after a kill in the same moment", async () => {
    let program = await startProgram({ config, env });
    for (const name of ["dev", "eve", "ann", "bob"]) {
      const person = await program.person(name);
      const held = (await person.ask({ scopes: ["read:auto:a"] })).body;
      const pending = (await person.ask({ scopes: ["read:sla:a"] })).body;
      const path = `${api}/identities/${person.id}`;
      expect((await program.admin.call("PATCH", path, { active: false })).http).toBe(200);
      await program.kill();

      program = await startProgram({ folder: program.folder, env });
      expect((await program.check(held.credential.token, "read:auto:a")).http).toBe(401);
      const isEnded = async () =>
        (await program.admin.read(held.id)).body.status === "REVOKED" &&
        (await program.admin.read(pending.id)).body.status === "CANCELLED";
      while (!(await isEnded())) await pause(20);
    }
    await program.stop();
  });
});

import { describe, expect, test } from "vitest";
import { askedBelow, deniedBelow, everySecond, staff } from "../support/company-config.ts";
import { leavesNothingBehind } from "../support/leftover-processes.ts";
import { pause, sharedProgram } from "../support/program.ts";

leavesNothingBehind();

const emergencies = [1, 2, 3, 4].map((number) => ({
  id: `id_oncall${number}`,
  email: `oncall${number}@company.com`,
  name: `On call ${number}`,
  groups: ["oncall"],
}));

const program = sharedProgram({
  config: {
    identities: [...staff, ...emergencies],
    policies: [askedBelow("prod:", { stages: [{ approvers: ["group:dba"] }] }), deniedBelow("vault:")],
    breakGlass: {
      allowed: ["group:oncall"],
      maxDuration: "1h",
      limit: { max: 2, per: "7d" },
      review: { by: ["group:security"], due: "2s" },
      notify: ["email:security@company.com"],
    },
  },
  env: everySecond,
});

const emergency = { scopes: ["admin:prod:orders"], breakGlass: true, reason: "orders are down" };

describe("break-glass", () => {
  test("starts at once for the people allowed, and is announced before the token is shown", async () => {
    const { check, log, person } = program();
    const oncall = await person("oncall1");
    const taken = await oncall.ask(emergency);
    expect(taken.http).toBe(201);
    expect(taken.body).toMatchObject({ status: "ACTIVE", breakGlass: true, approvers: [] });
    const heard = log.find(
      ({ notice, request }) => notice === "break_glass_used" && request === taken.body.id,
    );
    expect(heard).toMatchObject({ level: "warn", channels: ["email:security@company.com"] });
    expect((await check(taken.body.credential.token, "admin:prod:orders")).http).toBe(200);
    expect((await oncall.act(taken.body.id, "extend", { duration: "5m", reason: "more" })).body.code).toBe(
      "break_glass_not_allowed",
    );
    const actions = (await program().audit(taken.body.id)).map(({ action }) => action);
    expect(actions).toContain("break_glass.used");
    await oncall.act(taken.body.id, "complete");
    const sec = await person("sec");
    await sec.act(taken.body.id, "review", { outcome: "justified", comment: "they were down" });
  });

  test("is refused for others, for too long, and against a deny policy", async () => {
    const { admin, person } = program();
    const [dev, oncall] = [await person("dev"), await person("oncall2")];
    expect((await dev.ask(emergency)).body.code).toBe("break_glass_not_allowed");
    expect((await admin.ask({ ...emergency, identityId: oncall.id })).body.code).toBe(
      "break_glass_not_allowed",
    );
    expect((await oncall.ask({ ...emergency, duration: "2h" })).body.code).toBe("duration_exceeds_policy");
    expect((await oncall.ask({ ...emergency, scopes: ["read:vault:keys"] })).body.code).toBe("policy_denied");
  });

  test("is limited, also for simultaneous uses", async () => {
    const { person } = program();
    const oncall = await person("oncall2");
    const taken = await Promise.all(Array.from({ length: 6 }, () => oncall.ask(emergency)));
    expect(taken.filter(({ http }) => http === 201)).toHaveLength(2);
    const refused = taken.filter(({ http }) => http !== 201).map(({ body }) => body.code);
    expect(refused).toEqual(Array.from({ length: 4 }, () => "break_glass_limit"));
  });

  test("reviewed as unjustified it ends at once, and another reviewer allows the next one", async () => {
    const { check, person } = program();
    const [oncall, sec, sam] = [await person("oncall3"), await person("sec"), await person("sam")];
    const { id, credential } = (await oncall.ask(emergency)).body;
    const judgement = { outcome: "unjustified", comment: "no incident was open" };
    expect((await oncall.act(id, "review", judgement)).body.code).toBe("not_a_reviewer");
    const judged = await sec.act(id, "review", judgement);
    expect(judged.body).toMatchObject({ status: "REVOKED", review: { reviews: [{ by: "id_sec" }] } });
    expect((await check(credential.token, "admin:prod:orders")).http).toBe(401);

    expect((await oncall.ask(emergency)).body.code).toBe("break_glass_review_due");
    expect((await sec.act(id, "review", { outcome: "justified", comment: "oh" })).body.code).toBe(
      "already_voted",
    );
    await sam.act(id, "review", { outcome: "justified", comment: "there was one after all" });
    expect((await oncall.ask(emergency)).body.status).toBe("ACTIVE");
  });

  test("requires a review: an overdue one is recorded and refuses the next use until it is reviewed", async () => {
    const { audit, log, person } = program();
    const [oncall, sam] = [await person("oncall4"), await person("sam")];
    const { id } = (await oncall.ask(emergency)).body;
    const isOverdue = async () =>
      (await audit(id)).some(({ action }) => action === "break_glass.review_overdue");
    while (!(await isOverdue())) await pause(100);
    expect((await oncall.read(id)).body).toMatchObject({ status: "ACTIVE", review: { isOverdue: true } });
    const isTold = () => log.some(({ notice, request }) => notice === "review_overdue" && request === id);
    while (!isTold()) await pause(20);
    expect((await oncall.ask(emergency)).body.code).toBe("break_glass_review_due");
    await sam.act(id, "review", { outcome: "justified", comment: "late, but fine" });
    expect((await oncall.ask(emergency)).body.status).toBe("ACTIVE");
  });
});

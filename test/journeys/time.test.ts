import { describe, expect, test } from "vitest";
import { askedBelow, autoBelow, everySecond, manyCalls, noSweep, staff } from "../support/company-config.ts";
import { leavesNothingBehind } from "../support/leftover-processes.ts";
import { pause, sharedProgram, until, type Program } from "../support/program.ts";

leavesNothingBehind();

const config = {
  identities: staff,
  policies: [
    autoBelow("auto:"),
    autoBelow("unclaimed:", { claimWindow: "1s" }),
    askedBelow("window:", { window: "1s", stages: [{ approvers: ["group:dba"] }] }),
    askedBelow("sla:", {
      stages: [
        {
          approvers: ["identity:id_ann"],
          sla: "2s",
          reminders: ["1s"],
          escalateTo: [["identity:id_lead"], ["cto@company.com"]],
        },
      ],
    }),
  ],
};

const swept = sharedProgram({ config, env: { ...everySecond, ...manyCalls } });
const unswept = sharedProgram({ config, env: { ...noSweep, ...manyCalls } });

/** Waits until the audit log has this action for a request. */
async function onRecord(program: Program, request: string, action: string, count = 1) {
  const found = async () => (await program.audit(request)).filter((record) => record.action === action);
  while ((await found()).length < count) await pause(50);
  return found();
}

/** Checks continuously until after the end, and compares each response with the clock. */
async function checkAcross(program: Program, token: string, scope: string, expiresAt: number) {
  const wrong: string[] = [];
  let live = 0;
  let over = 0;
  while (over < 20) {
    const asked = Date.now();
    const { http } = await program.check(token, scope);
    const answered = Date.now();
    if (http === 200) live++;
    if (http === 401) over++;
    if (asked >= expiresAt && http !== 401) wrong.push(`${http}, asked ${asked - expiresAt} ms after`);
    if (answered < expiresAt && http !== 200)
      wrong.push(`${http}, answered ${expiresAt - answered} ms before`);
  }
  return { wrong, live };
}

describe.concurrent("expiry", () => {
  test.for([
    ["with a sweep every second", swept],
    ["with no sweep at all", unswept],
  ] as const)("%s, a check says 401 from the first moment after expiresAt", async ([, which]) => {
    const program = which();
    const dev = await program.person("dev");
    const asked = (await dev.ask({ scopes: ["read:auto:a"], duration: "2s" })).body;
    const expiresAt = Date.parse(asked.expiresAt);
    expect(expiresAt - Date.parse(asked.startedAt)).toBe(2_000);
    const { wrong, live } = await checkAcross(program, asked.credential.token, "read:auto:a", expiresAt);
    expect(wrong).toEqual([]);
    expect(live).toBeGreaterThan(0);
    expect((await dev.read(asked.id)).body).toMatchObject({ status: "EXPIRED", endedAt: asked.expiresAt });
    expect((await dev.act(asked.id, "complete")).body.code).toBe("not_active");
    expect((await dev.act(asked.id, "rotate")).body.code).toBe("not_active");
  });

  test("the sweep records it once, after its end", async () => {
    const program = swept();
    const dev = await program.person("dev");
    const asked = (await dev.ask({ scopes: ["read:auto:b"], duration: "1s" })).body;
    const [expired] = await onRecord(program, asked.id, "grant.expired");
    expect(expired?.actor).toMatchObject({ type: "system", via: "system" });
    const lateMs = Date.parse(expired?.at ?? "") - Date.parse(asked.expiresAt);
    expect(lateMs).toBeGreaterThanOrEqual(0);
    expect(await onRecord(program, asked.id, "grant.expired")).toHaveLength(1);
  });

  test("without a sweep, the next request for the same access records what has expired", async () => {
    const program = unswept();
    const dev = await program.person("dev");
    const first = (await dev.ask({ scopes: ["read:window:c"] })).body;
    await until(() => Date.now() > Date.parse(first.approvalDeadline));
    const again = await dev.ask({ scopes: ["read:window:c"] });
    expect(again.http).toBe(201);
    expect(again.body.id).not.toBe(first.id);
    const actions = (await program.audit(first.id)).map(({ action }) => action);
    expect(actions).toEqual(["request.submitted", "request.timed_out"]);
  });
});

describe.concurrent("silence", () => {
  test("an undecided request times out and can no longer be approved", async () => {
    const program = swept();
    const [dev, ann] = [await program.person("dev"), await program.person("ann")];
    const asked = (await dev.ask({ scopes: ["read:window:a"] })).body;
    await until(() => Date.now() > Date.parse(asked.approvalDeadline));
    expect((await dev.read(asked.id)).body).toMatchObject({
      status: "TIMED_OUT",
      endedAt: asked.approvalDeadline,
    });
    expect((await ann.act(asked.id, "approve")).body.code).toBe("approval_window_passed");
    const [record] = await onRecord(program, asked.id, "request.timed_out");
    expect(record?.data).toMatchObject({ waitedFor: "approval" });
    expect((await ann.act(asked.id, "approve")).body.code).toBe("approval_window_passed");
  });

  test("approved access that nobody claims in time ends before it starts", async () => {
    const program = swept();
    const dev = await program.person("dev");
    const asked = (await program.admin.ask({ identityId: dev.id, scopes: ["read:unclaimed:a"] })).body;
    expect(asked.status).toBe("APPROVED");
    const [record] = await onRecord(program, asked.id, "request.timed_out");
    expect(record?.data).toMatchObject({ waitedFor: "claim" });
    expect((await dev.act(asked.id, "claim")).body.code).toBe("not_claimable");
    expect((await dev.read(asked.id)).body).toMatchObject({ status: "TIMED_OUT", expiresAt: null });
  });
});

describe.concurrent("a stage nobody decides", () => {
  test("reminds, then asks further people in turn, and everybody asked may decide", async () => {
    const program = swept();
    const [dev, cto] = [await program.person("dev"), await program.person("cto")];
    const asked = (await dev.ask({ scopes: ["read:sla:a"] })).body;
    expect(asked.approvers.map(({ identityId }) => identityId)).toEqual(["id_ann"]);
    expect((await cto.act(asked.id, "approve")).body.code).toBe("not_an_approver");

    const [reminded] = await onRecord(program, asked.id, "approval.reminded");
    expect(reminded?.data).toMatchObject({ stage: 1, people: ["id_ann"] });
    const escalated = await onRecord(program, asked.id, "approval.escalated", 2);
    expect(escalated.map(({ data }) => data)).toEqual([
      { stage: 1, level: 1, people: ["id_lead"] },
      { stage: 1, level: 2, people: ["id_cto"] },
    ]);
    const since = escalated.map(({ at }) => Date.parse(at) - Date.parse(asked.requestedAt));
    expect(since[0]).toBeGreaterThanOrEqual(2_000);
    expect(since[1]).toBeGreaterThanOrEqual(4_000);

    const waiting = (await dev.read(asked.id)).body.approvers;
    expect(waiting.map(({ identityId, status }) => [identityId, status])).toEqual([
      ["id_ann", "PENDING"],
      ["id_lead", "ESCALATED"],
      ["id_cto", "ESCALATED"],
    ]);
    const told = (): readonly unknown[] =>
      program.log.flatMap(({ msg, request, notice }) =>
        msg === "notice" && request === asked.id ? [notice] : [],
      );
    // People are notified after the decision.
    await until(() => told().length >= 4);
    expect(told()).toEqual(["submitted", "reminder", "escalated", "escalated"]);
    expect((await cto.act(asked.id, "approve")).body.status).toBe("APPROVED");
  });
});

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { minuteMs } from "../../../src/core/values/time.ts";
import type { RequestView } from "../../../src/service/views/request-view.ts";
import { createServices, type Services } from "../../../src/service/services.ts";
import {
  createUserGroupReader,
  membersKeptMs,
  type UserGroups,
} from "../../../src/service/ports/user-groups.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import {
  allStaff,
  unwrap,
  openServiceHarness,
  refusalOrStatus,
  type ServiceHarness,
} from "../support/service-harness.ts";

let harness: ServiceHarness;
let services: Services;
let slack: { members: readonly string[]; isDown: boolean; asked: number };

const linked = (names: readonly string[]) =>
  allStaff.map((one) =>
    names.includes(one.name) ? { ...one, links: { slack: { teamId: "T1", userId: `U_${one.name}` } } } : one,
  );
const group: UserGroups = {
  teamId: "T1",
  async membersOf(ids) {
    slack.asked++;
    if (slack.isDown) throw new Error("Slack is down");
    return new Map(ids.map((id) => [id, slack.members]));
  },
};
const policy = (approvers: string, required = 1) => [
  approvalPolicy("all", { stages: [stageBy(approvers, { required })] }),
];
const configure = (approvers: string, required = 1, trusted = true) =>
  harness.configure(
    policy(approvers, required),
    { trustSlackUserGroups: trusted },
    linked(["ann", "bob", "dev", "bot"]),
  );
const ask = async (): Promise<string> => {
  const input = { identityId: "id_dev", reason: "x", scopes: ["read:prod:x"], duration: "1h" };
  return unwrap(await services.requestCommands.ask(await harness.caller("dev"), input)).request.id;
};
const approve = async (name: string, id: string) =>
  refusalOrStatus(await services.requestCommands.approve(await harness.caller(name), id, {}));

beforeEach(async () => {
  harness = await openServiceHarness();
  slack = { members: ["U_ann", "U_dev"], isDown: false, asked: 0 };
  const userGroups = createUserGroupReader(group, harness.clock.now);
  services = createServices(
    { ...harness.context, userGroups },
    async () => {},
    (fault) => {
      throw fault;
    },
  );
});
afterEach(async () => {
  await harness.close();
});

describe("a Slack user group that the configuration trusts", () => {
  test("means its members who are linked, active people; never the requester", async () => {
    slack.members = ["U_ann", "U_dev", "U_bot", "U_stranger"];
    await configure("slack-usergroup:S123");
    const id = await ask();
    const view = await services.requestQueries.read(await harness.caller("dev"), id);
    expect(view).toMatchObject({ approvers: [{ identityId: "id_ann" }] });
    expect(await approve("bob", id)).toBe("not_an_approver");
    expect(await approve("dev", id)).toBe("self_approval");
    expect(await approve("ann", id)).toBe("APPROVED");
  });

  test("is fetched at each decision, so that a former member does not count", async () => {
    await configure("slack-usergroup:S123");
    const id = await ask();
    slack.members = ["U_bob"];
    expect(await approve("ann", id)).toBe("not_an_approver");
    expect(await approve("bob", id)).toBe("APPROVED");
  });

  test("puts its requests on the list of its members", async () => {
    await configure("slack-usergroup:S123");
    const id = await ask();
    const list = async (name: string) =>
      services.requestQueries.list(await harness.caller(name), { approver: "me" }, { limit: 10 });
    expect(await list("ann")).toMatchObject({ rows: [{ id }] });
    expect(await list("bob")).toMatchObject({ rows: [] });
  });

  test("is fetched at most once a minute for cards and lists", async () => {
    await configure("slack-usergroup:S123");
    const id = await ask();
    slack.asked = 0;
    const read = async () => services.requestQueries.read(await harness.caller("dev"), id);
    for (let count = 0; count < 5; count++) await read();
    expect(slack.asked).toBe(0);
    harness.clock.pass(membersKeptMs);
    await read();
    await read();
    expect(slack.asked).toBe(1);
  });
});

describe("for cards and lists, while Slack does not answer", () => {
  const show = async (reader: ReturnType<typeof createUserGroupReader>) =>
    (await reader.find(["S1"], "cached")).unknown;

  test("cached members are used at once, and failed calls are shared and not repeated each time", async () => {
    const answers: PromiseWithResolvers<ReadonlyMap<string, readonly string[]>>[] = [];
    const groups: UserGroups = {
      teamId: "T1",
      membersOf: async () => {
        const one = Promise.withResolvers<ReadonlyMap<string, readonly string[]>>();
        answers.push(one);
        return one.promise;
      },
    };
    const reader = createUserGroupReader(groups, harness.clock.now, () => 0.5);
    const first = show(reader);
    answers[0]?.resolve(new Map([["S1", ["U_ann"]]]));
    expect(await first).toEqual([]);
    harness.clock.pass(2 * minuteMs);
    expect(await show(reader)).toEqual([]);
    expect(await show(reader)).toEqual([]);
    expect(answers).toHaveLength(2);
    answers[1]?.reject(new Error("Slack is down"));
    await new Promise((resolve) => setImmediate(resolve));
    harness.clock.pass(20 * minuteMs);
    const unknown = show(reader);
    expect(answers).toHaveLength(3);
    answers[2]?.reject(new Error("Slack is down"));
    expect(await unknown).toEqual(["S1"]);
    expect(await show(reader)).toEqual(["S1"]);
    expect(answers).toHaveLength(3);
    const pressed = reader.find(["S1"], "verify");
    expect(answers).toHaveLength(4);
    answers[3]?.resolve(new Map([["S1", ["U_ann"]]]));
    expect((await pressed).unknown).toEqual([]);
    expect(await show(reader)).toEqual([]);
  });
});

describe("a user group that is not trusted, or where there is no Slack", () => {
  test("means nobody and is not fetched", async () => {
    await configure("slack-usergroup:S123 group:dba", 1, false);
    const id = await ask();
    slack.members = ["U_bob", "U_ann"];
    expect(await approve("cto", id)).toBe("not_an_approver");
    expect(slack.asked).toBe(0);
    await configure("slack-usergroup:S123", 1, false);
    const input = { identityId: "id_dev", reason: "y", scopes: ["read:prod:y"], duration: "1h" };
    expect(refusalOrStatus(await services.requestCommands.ask(await harness.caller("dev"), input))).toBe(
      "no_approvers",
    );
    expect(refusalOrStatus(await harness.ask("dev", { scopes: ["read:prod:z"] }))).toBe("no_approvers");
  });
});

describe("while Slack cannot be asked", () => {
  test("a member's decision is refused as unverifiable, and counts once it can be verified", async () => {
    await configure("slack-usergroup:S123");
    const id = await ask();
    slack.isDown = true;
    const ann = await harness.caller("ann");
    const { requestCommands } = services;
    const presses = [
      requestCommands.approve(ann, id, {}),
      requestCommands.deny(ann, id, "no"),
      requestCommands.revoke(ann, id, "no"),
    ];
    for (const said of await Promise.all(presses)) {
      expect(said).toMatchObject({
        refused: "store_unavailable",
        detail: expect.stringContaining("cannot be verified"),
      });
    }
    slack.isDown = false;
    expect(await approve("ann", id)).toBe("APPROVED");
  });

  test("cached members do not make a decision count", async () => {
    await configure("slack-usergroup:S123");
    const id = await ask();
    await services.requestQueries.read(await harness.caller("dev"), id);
    slack.isDown = true;
    expect(await approve("ann", id)).toBe("store_unavailable");
  });

  test("people who match another selector can still decide", async () => {
    await configure("slack-usergroup:S123 group:dba");
    const id = await ask();
    slack.isDown = true;
    expect(await approve("cid", id)).toBe("APPROVED");
  });

  test("an approval given by a member does not count, and counts again afterwards", async () => {
    await configure("slack-usergroup:S123 identity:id_cid identity:id_lead", 2);
    const id = await ask();
    expect(await approve("ann", id)).toBe("PENDING");
    slack.isDown = true;
    expect(await approve("cid", id)).toBe("PENDING");
    slack.isDown = false;
    harness.clock.pass(minuteMs);
    expect(await approve("cid", id)).toBe("APPROVED");
  });

  test("a request is not refused as if there were no approvers", async () => {
    await configure("slack-usergroup:S123");
    slack.isDown = true;
    const input = { identityId: "id_dev", reason: "x", scopes: ["read:prod:x"], duration: "1h" };
    expect(refusalOrStatus(await services.requestCommands.ask(await harness.caller("dev"), input))).toBe(
      "store_unavailable",
    );
  });
});

describe("a request that waits for members", () => {
  /** What Slack said this long ago is used for nothing any more. */
  const forgottenMs = 15 * minuteMs;
  const waiting = async () =>
    (await services.requestQueries.list(await harness.caller("cto", "auditor"), {}, { limit: 1 })) as {
      rows: readonly RequestView[];
    };

  test("is not stranded while the members are unknown, and is once the group is empty", async () => {
    await configure("slack-usergroup:S123");
    await ask();
    slack.isDown = true;
    harness.clock.pass(forgottenMs);
    await services.approverReviews.reviewBatch(0, null);
    expect((await waiting()).rows[0]?.stranded).toBeNull();
    slack.isDown = false;
    slack.members = [];
    harness.clock.pass(forgottenMs);
    await services.approverReviews.reviewBatch(0, null);
    expect((await waiting()).rows[0]?.stranded).toMatchObject({ stage: 1 });
  });

  test("calls Slack once for all requests of a batch, even when it does not answer", async () => {
    await configure("slack-usergroup:S123");
    for (const scope of ["read:a:1", "read:a:2", "read:a:3"]) {
      const input = { identityId: "id_dev", reason: "x", scopes: [scope], duration: "1h" };
      unwrap(await services.requestCommands.ask(await harness.caller("dev"), input));
    }
    for (const isDown of [true, false]) {
      slack = { ...slack, isDown, asked: 0 };
      harness.clock.pass(forgottenMs);
      await services.approverReviews.reviewBatch(0, null);
      expect(slack.asked).toBe(1);
    }
  });

  test("cancelled while the members are unknown, it keeps their approvals", async () => {
    await configure("slack-usergroup:S123 identity:id_cid identity:id_lead", 2);
    const id = await ask();
    await approve("ann", id);
    slack.isDown = true;
    harness.clock.pass(forgottenMs);
    unwrap(await services.requestCommands.cancel(await harness.caller("dev"), id));
    expect((await waiting()).rows[0]?.approvals).toEqual([{ stage: 1, required: 2, given: 1 }]);
  });
});

test("the claim of access that members approved does not call Slack", async () => {
  await configure("slack-usergroup:S123");
  const id = await ask();
  await approve("ann", id);
  slack.isDown = true;
  const claimed = unwrap(await services.requestCommands.claim(await harness.caller("dev"), id));
  expect(assertPresent(claimed.credential, "a credential").token).toMatch(/^kd_jit_/);
});

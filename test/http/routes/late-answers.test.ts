import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { refuse } from "../../../src/core/values/refusals.ts";
import { hourMs } from "../../../src/core/values/time.ts";
import type { Services } from "../../../src/service/services.ts";
import { recordOnly } from "../../../src/service/decisions/decide-and-commit.ts";
import { auditFixture } from "../../support/fixtures.ts";
import { allStaff } from "../../service/support/service-harness.ts";
import {
  api,
  httpPolicies,
  httpRules,
  jit,
  openHttpHarness,
  type Answer,
  type HttpHarness,
} from "../support/http-harness.ts";

let harness: HttpHarness;
afterEach(async () => {
  await harness.close();
});

const admin = async (method: string, url: string, body?: object): Promise<Answer> =>
  harness.call(method, `${api}${url}`, { key: harness.admin, ...(body !== undefined && { body }) });
async function newKey(
  name: string,
  ...roles: string[]
): Promise<{ readonly id: string; readonly token: string }> {
  const expiresAt = new Date(harness.harness.clock.now() + hourMs).toISOString();
  const { body } = await admin("POST", "/api-keys", { identityId: `id_${name}`, roles, expiresAt });
  return { id: String(body["id"]), token: String(body["token"]) };
}
const said = ({ status, body }: Answer) => [status, body["code"]];

describe("a long poll applies the rights at the time of its response", () => {
  /** Runs `meanwhile` during a long poll, then changes the request. */
  async function waiting(reader: string, meanwhile: (keyId: string) => Promise<unknown>): Promise<Answer> {
    harness = await openHttpHarness();
    const id = await harness.ask();
    const key = await newKey(reader, "requester", "approver");
    const answer = harness.call("GET", `${jit}/${id}?wait=60s`, { key: key.token });
    await pause(30);
    await meanwhile(key.id);
    await harness.call("POST", `${jit}/${id}/deny`, {
      key: await harness.keyOf("bob"),
      body: { reason: "no" },
    });
    return answer;
  }

  test("a deleted key gets nothing", async () => {
    const answer = await waiting("dev", async (keyId) => admin("DELETE", `/api-keys/${keyId}`));
    expect(said(answer)).toEqual([401, "unauthenticated"]);
    expect(answer.text).not.toContain("orders-db");
  });

  test("an expired key gets nothing", async () => {
    const answer = await waiting("dev", async () => harness.harness.clock.pass(hourMs));
    expect(answer.status).toBe(401);
  });

  test("somebody deactivated gets nothing", async () => {
    const answer = await waiting("ann", async () => admin("PATCH", "/identities/id_ann", { active: false }));
    expect(said(answer)).toEqual([403, "identity_inactive"]);
  });

  test("a former approver gets nothing", async () => {
    const without = allStaff.map((one) => (one.name === "cid" ? { ...one, groups: [] } : one));
    const answer = await waiting("cid", async () =>
      harness.harness.configure(httpPolicies, httpRules, without),
    );
    expect(said(answer)).toEqual([404, "not_found"]);
  });

  test("a caller who still may read gets the request", async () => {
    const answer = await waiting("dev", async () => undefined);
    expect([answer.status, answer.body["status"]]).toEqual([200, "DENIED"]);
  });
});

describe("a slow response", () => {
  const during = (services: Services, meanwhile: () => Promise<unknown>): Services => ({
    ...services,
    requestCommands: {
      ...services.requestCommands,
      claim: async (...call) => {
        const outcome = await services.requestCommands.claim(...call);
        await meanwhile();
        return outcome;
      },
    },
    directory: {
      ...services.directory,
      list: async (...call) => {
        await meanwhile();
        return services.directory.list(...call);
      },
    },
  });

  test("shows no credential to a key that was deleted while targets were prepared", async () => {
    let keyId = "";
    harness = await openHttpHarness({
      changed: (services) => during(services, async () => admin("DELETE", `/api-keys/${keyId}`)),
    });
    const id = await harness.approved();
    const key = await newKey("dev", "requester");
    keyId = key.id;
    const answer = await harness.call("POST", `${jit}/${id}/claim`, { key: key.token });
    expect(said(answer)).toEqual([401, "unauthenticated"]);
    expect(answer.text).not.toMatch(/kd_jit_[0-9A-Za-z]{36}/);
    const rotated = await harness.call("POST", `${jit}/${id}/rotate`, { key: await harness.keyOf("dev") });
    expect(rotated.text).toMatch(/kd_jit_[0-9A-Za-z]{36}/);
  });

  test("lists nothing to a key that was deleted meanwhile", async () => {
    let keyId = "";
    harness = await openHttpHarness({
      changed: (services) => during(services, async () => admin("DELETE", `/api-keys/${keyId}`)),
    });
    const key = await newKey("cto", "auditor");
    keyId = key.id;
    expect(said(await harness.call("GET", `${api}/identities`, { key: key.token }))).toEqual([
      401,
      "unauthenticated",
    ]);
  });

  test("is still sent to a call that deletes its own key", async () => {
    harness = await openHttpHarness();
    const key = await newKey("cto", "admin");
    const answer = await harness.call("DELETE", `${api}/api-keys/${key.id}`, { key: key.token });
    expect(answer.status).toBe(200);
  });
});

test("an export breaks off when its reader loses the right to it", async () => {
  let looks = 0;
  harness = await openHttpHarness({
    changed: (services) => ({
      ...services,
      apiKeys: {
        ...services.apiKeys,
        authenticate: async (token) =>
          ++looks > 3 ? refuse("unauthenticated", "Not any more.") : services.apiKeys.authenticate(token),
      },
    }),
  });
  for (let batch = 0; batch < 10; batch++) {
    await harness.harness.store.commit(recordOnly(Array.from({ length: 100 }, () => auditFixture())));
  }
  looks = 0;
  const exported = harness.call("GET", `${api}/audit/export`, { key: harness.admin });
  await expect(exported.then(({ text }) => text.trimEnd().split("\n").length)).rejects.toBeInstanceOf(Error);
  expect(looks).toBe(4);
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allStaff } from "../../service/support/service-harness.ts";
import { api, devAsk, jit, openHttpHarness, prodAsk, type HttpHarness } from "../support/http-harness.ts";

let harness: HttpHarness;
let id: string;
beforeAll(async () => {
  harness = await openHttpHarness();
  id = (await harness.claimed()).id;
});
afterAll(async () => harness.close());

/** Every form of dev's name. An address belongs to one identity, in any case. */
const names = ["id_dev", "dev@company.com", "Dev@Company.COM"];
/** Names of nobody: an id, an address, a word, and an address in similar letters. */
const strangers = [
  "id_nobody",
  "nobody@company.com",
  "dev",
  "Dev Lopez",
  "ⅾev@company.com",
  "dev@company.com ",
];
const inUrl = (name: string): string => encodeURIComponent(name);

describe.each(names)("%s is dev", (name) => {
  test("in a path", async () => {
    const { admin } = harness;
    const read = await harness.call("GET", `${api}/identities/${inUrl(name)}`, { key: admin });
    expect([read.status, read.body["id"]]).toEqual([200, "id_dev"]);
    const changed = await harness.call("PATCH", `${api}/identities/${inUrl(name)}`, {
      key: admin,
      body: { active: true },
    });
    expect([changed.status, changed.body["id"]]).toEqual([200, "id_dev"]);
    const unlinked = await harness.call("DELETE", `${api}/identities/${inUrl(name)}/links/slack`, {
      key: admin,
    });
    expect([unlinked.status, unlinked.body["detail"]]).toEqual([404, "dev has no link there."]);
    const own = await harness.call("GET", `${api}/identities/${inUrl(name)}`, {
      key: await harness.keyOf("dev", "requester"),
    });
    expect([own.status, own.body["id"]]).toEqual([200, "id_dev"]);
  });

  test.each([`${jit}?identityId=`, `${api}/access?identityId=`])("in the query of %s", async (url) => {
    const readers = [
      harness.admin,
      await harness.keyOf("sam", "auditor"),
      await harness.keyOf("dev", "requester"),
      await harness.keyOf("ann", "approver"),
    ];
    for (const key of readers) {
      const { status, body } = await harness.call("GET", `${url}${inUrl(name)}`, { key });
      expect(status).toBe(200);
      expect(JSON.stringify(body["data"])).toContain(id);
    }
  });

  test("in a body", async () => {
    const dev = await harness.keyOf("dev", "requester");
    const asked = await harness.call("POST", jit, { key: dev, body: { ...devAsk, identityId: name } });
    expect(asked.body).toMatchObject({ identityId: "id_dev", requestedBy: "id_dev", status: "ACTIVE" });
    const request = { ...prodAsk, identityId: name };
    const tried = await harness.call("POST", `${api}/policies/evaluate`, { key: dev, body: { request } });
    expect([tried.status, tried.body["outcome"]]).toEqual([200, "NEEDS_APPROVAL"]);
    const key = await harness.call("POST", `${api}/api-keys`, {
      key: harness.admin,
      body: { identityId: name, roles: ["requester"] },
    });
    expect([key.status, key.body["identityId"]]).toEqual([201, "id_dev"]);
    const ended = await harness.call("POST", `${api}/revoke-all`, {
      key: harness.admin,
      body: { identityId: name, reason: "left" },
    });
    expect(ended.body["requests"]).toContain(asked.body["id"]);
    id = (await harness.claimed()).id;
  });

  test("as a manager", async () => {
    const { admin } = harness;
    const made = await harness.call("POST", `${api}/identities`, {
      key: admin,
      body: { kind: "SERVICE", name: "job", managerId: name },
    });
    expect([made.status, made.body["managerId"]]).toEqual([201, "id_dev"]);
    const changed = await harness.call("PATCH", `${api}/identities/${String(made.body["id"])}`, {
      key: admin,
      body: { managerId: name },
    });
    expect([changed.status, changed.body["managerId"]]).toEqual([200, "id_dev"]);
  });
});

describe.each(strangers)("%j is nobody", (name) => {
  test("in a path: 404 not_found", async () => {
    for (const [method, url, body] of [
      ["GET", `${api}/identities/${inUrl(name)}`],
      ["PATCH", `${api}/identities/${inUrl(name)}`, { active: true }],
      ["DELETE", `${api}/identities/${inUrl(name)}/links/slack`],
    ] as const) {
      const answer = await harness.call(method, url, { key: harness.admin, body });
      expect([method, answer.status, answer.body["code"]]).toEqual([method, 404, "not_found"]);
    }
  });

  test("elsewhere: 422 identity_unknown, never an empty list", async () => {
    const request = { ...prodAsk, identityId: name };
    for (const [method, url, body] of [
      ["GET", `${jit}?identityId=${inUrl(name)}`],
      ["GET", `${jit}?status=ACTIVE&identityId=${inUrl(name)}`],
      ["GET", `${api}/access?identityId=${inUrl(name)}`],
      ["POST", jit, request],
      ["POST", `${api}/policies/evaluate`, { request }],
      ["POST", `${api}/api-keys`, { identityId: name, roles: ["requester"] }],
      ["POST", `${api}/revoke-all`, { identityId: name, reason: "left" }],
    ] as const) {
      const answer = await harness.call(method, url, { key: harness.admin, body });
      expect([method, url, answer.status, answer.body["code"]]).toEqual([
        method,
        url,
        422,
        "identity_unknown",
      ]);
    }
  });
});

test("an unknown manager is refused", async () => {
  for (const managerId of ["id_nobody", "nobody@company.com"]) {
    const body = { kind: "SERVICE", name: "job", managerId };
    const made = await harness.call("POST", `${api}/identities`, { key: harness.admin, body });
    expect([made.status, made.body["code"]]).toEqual([422, "identity_unknown"]);
    const change = { key: harness.admin, body: { managerId } };
    const changed = await harness.call("PATCH", `${api}/identities/id_dev`, change);
    expect([changed.status, changed.body["code"]]).toEqual([422, "identity_unknown"]);
  }
});

describe("callers who may not read identities cannot tell whether one exists", () => {
  // dev may see no request of cto.
  const others = ["id_cto", "cto@company.com"];
  const nobodies = ["id_nobody", "nobody@company.com"];
  const rest = (
    { status, body }: { status: number; body: Readonly<Record<string, unknown>> },
    name: string,
  ) => JSON.stringify([status, body["code"], body["detail"], body["data"]]).replaceAll(name, "NAME");

  test("in lists", async () => {
    await harness.call("POST", jit, {
      key: await harness.keyOf("cto", "requester"),
      body: { ...devAsk, identityId: "id_cto" },
    });
    for (const key of [await harness.keyOf("dev", "requester"), await harness.keyOf("dev", "approver")]) {
      for (const url of [
        `${jit}?identityId=`,
        `${jit}?status=DENIED&identityId=`,
        `${api}/access?identityId=`,
      ]) {
        const answers = await Promise.all(
          [...others, ...nobodies].map(async (name) =>
            rest(await harness.call("GET", url + inUrl(name), { key }), name),
          ),
        );
        expect(new Set(answers).size).toBe(1);
        expect(answers[0]).toContain("identity_unknown");
      }
    }
  });

  test("in requests and dry runs", async () => {
    const key = await harness.keyOf("dev", "requester");
    for (const [url, bodyOf] of [
      [jit, (identityId: string) => ({ ...prodAsk, identityId })],
      [`${api}/policies/evaluate`, (identityId: string) => ({ request: { ...prodAsk, identityId } })],
    ] as const) {
      const answers = await Promise.all(
        [...others, ...nobodies].map(async (name) =>
          rest(await harness.call("POST", url, { key, body: bodyOf(name) }), name),
        ),
      );
      expect(new Set(answers).size).toBe(1);
      expect(answers[0]).toContain("not_self");
    }
  });

  test("in a path", async () => {
    const key = await harness.keyOf("dev", "requester");
    const answers = await Promise.all(
      [...others, ...nobodies].map(async (name) =>
        rest(await harness.call("GET", `${api}/identities/${inUrl(name)}`, { key }), name),
      ),
    );
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toContain("missing_role");
  });

  test("but people they decide about are listed, also when another filter matches nothing", async () => {
    const key = await harness.keyOf("ann", "approver");
    const all = await harness.call("GET", `${jit}?identityId=dev%40company.com`, { key });
    expect(all.status).toBe(200);
    expect(JSON.stringify(all.body["data"])).toContain("id_dev");
    const none = await harness.call("GET", `${jit}?identityId=dev%40company.com&status=FAILED`, { key });
    expect([none.status, none.body["data"]]).toEqual([200, []]);
  });
});

test("a person removed from the file is found by id only: the address is free for somebody else", async () => {
  const leaving = await openHttpHarness();
  try {
    const { harness: service } = leaving;
    await service.configure(
      [],
      {},
      allStaff.filter(({ id: one }) => one !== "id_dev"),
    );
    const read = async (name: string) =>
      (await leaving.call("GET", `${api}/identities/${inUrl(name)}`, { key: leaving.admin })).status;
    expect([await read("id_dev"), await read("dev@company.com")]).toEqual([200, 404]);
  } finally {
    await leaving.close();
  }
});

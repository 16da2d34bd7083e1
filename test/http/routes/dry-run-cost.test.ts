import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, list, openHttpHarness, prodAsk, type HttpHarness } from "../support/http-harness.ts";

let harness: HttpHarness;
beforeAll(async () => {
  harness = await openHttpHarness();
});
afterAll(async () => {
  await harness.close();
});

const hostile = "(a?){900}a{90}Z";
const policy = (name: string, ...patterns: readonly string[]) => ({
  name,
  deny: true,
  conditions: [{ anyOf: patterns.map((value) => ({ type: "REASON", operator: "MATCHES", value })) }],
});
const evaluate = async (key: string, policies?: unknown, more: object = {}) =>
  harness.call("POST", `${api}/policies/evaluate`, {
    key,
    body: { request: { ...prodAsk, ...more }, ...(policies !== undefined && { policies }) },
  });
const said = ({ status, body }: { status: number; body: Readonly<Record<string, unknown>> }) => [
  status,
  body["code"],
];

describe("drafts", () => {
  test("are for administrators and auditors: a requester's are refused before they are read", async () => {
    for (const drafts of [[policy("x", "a")], [{ nonsense: true }], [], "junk", null]) {
      expect(said(await evaluate(await harness.keyOf("dev"), drafts))).toEqual([403, "missing_role"]);
    }
    expect((await evaluate(await harness.keyOf("cto", "auditor"), [policy("x", "a")])).status).toBe(200);
    expect((await evaluate(harness.admin, [policy("x", "a")])).status).toBe(200);
  });

  test("with a pattern that costs too much are refused by path", async () => {
    const answer = await evaluate(harness.admin, [policy("x", "a"), policy("y", "b", hostile)]);
    expect(said(answer)).toEqual([422, "too_costly"]);
    expect(answer.body["errors"]).toMatchObject([{ path: "policies.1.conditions.0.anyOf.1.value" }]);
  });

  test("whose patterns are too large together are refused before any is compiled", async () => {
    const all = Array.from({ length: 100 }, (_, number) => policy(`p${number}`, ...Array(8).fill(hostile)));
    const answer = await evaluate(harness.admin, all, { reason: "a".repeat(1_999), scopes: scopesOf(20) });
    expect(said(answer)).toEqual([422, "too_costly"]);
    expect(answer.body["errors"]).toBeUndefined();
  });

  test("too many for the texts they are evaluated on are refused; fewer are evaluated", async () => {
    const drafts = Array.from({ length: 50 }, (_, number) =>
      policy(`p${number}`, `a{900}b{80}c${number + 10}`),
    );
    const more = { reason: "ab".repeat(999), scopes: scopesOf(20) };
    expect(said(await evaluate(harness.admin, drafts, more))).toEqual([422, "too_costly"]);
    expect((await evaluate(harness.admin, drafts.slice(0, 9), more)).status).toBe(200);
  });
});

test("a token check is answered during a long dry run", async () => {
  const { token } = await harness.claimed();
  const drafts = Array.from({ length: 20 }, (_, number) =>
    policy(`p${number}`, `[ab]*a[ab]{300}x${number}$`),
  );
  const order: string[] = [];
  const running = evaluate(harness.admin, drafts, { reason: "ab".repeat(999), scopes: scopesOf(20) }).then(
    (answer) => {
      order.push("dry run");
      return answer;
    },
  );
  const check = await harness.call("GET", `${api}/check?scope=read:prod:orders-db`, { key: token });
  order.push("check");
  expect([check.status, (await running).status]).toEqual([200, 200]);
  expect(order).toEqual(["check", "dry run"]);
});

test("a key may run two dry runs at a time; a third learns when to retry, and other keys are not limited", async () => {
  const drafts = [policy("p", "[ab]*a[ab]{300}x$")];
  const more = { reason: "ab".repeat(999), scopes: scopesOf(20) };
  const answers = await Promise.all([
    ...[1, 2, 3, 4].map(async () => evaluate(harness.admin, drafts, more)),
    evaluate(await harness.keyOf("cto", "auditor"), drafts, more),
  ]);
  expect(answers.map(said)).toEqual([
    [200, undefined],
    [200, undefined],
    [429, "rate_limited"],
    [429, "rate_limited"],
    [200, undefined],
  ]);
  expect(answers[2]?.headers["retry-after"]).toBe("1");
  expect((await evaluate(harness.admin, drafts, more)).status).toBe(200);
});

test("a long response has the same form as a short one", async () => {
  const drafts = [policy("one", "a"), policy("two", "b")];
  const { body } = await evaluate(harness.admin, drafts, { scopes: ["read:prod:a", "read:prod:b"] });
  expect(body).toMatchObject({ outcome: "REFUSED", risk: null, refusal: { code: "policy_denied" } });
  expect(list(body["scopes"]).map((one) => list(one["policies"]).map((each) => each["name"]))).toEqual([
    ["one", "two"],
    ["one", "two"],
  ]);
});

describe("a policy", () => {
  const body = (value: string, more: object = {}) => ({ ...policy("costly", value), ...more });

  test("with a pattern above the budget is refused, new or changed", async () => {
    const made = await harness.call("POST", `${api}/policies`, { key: harness.admin, body: body(hostile) });
    expect(said(made)).toEqual([422, "too_costly"]);
    expect(made.body["errors"]).toMatchObject([{ path: "conditions.0.anyOf.0.value" }]);
    const plain = await harness.call("POST", `${api}/policies`, {
      key: harness.admin,
      body: body("nothing like this"),
    });
    const url = `${api}/policies/${String(plain.body["id"])}`;
    const changed = await harness.call("PUT", url, { key: harness.admin, body: body(hostile) });
    expect(said(changed)).toEqual([422, "too_costly"]);
    expect((await harness.call("DELETE", url, { key: harness.admin })).status).toBe(200);
  });
});

function scopesOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, number) => `read:prod:x${number}`);
}

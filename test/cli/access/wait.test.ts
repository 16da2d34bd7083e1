import { describe, expect, test } from "vitest";
import { formatToken } from "../../../src/core/values/token-format.ts";
import { fakeService, me, refusal, shown, type ReceivedCall, type Reply } from "../support/fake-service.ts";
import { jit } from "../support/run-jit.ts";

const seen = (status: string, tag: string, more: Readonly<Record<string, unknown>> = {}) => ({
  headers: { etag: `"${tag}"` },
  body: shown({ status, ...more }),
});
const pending = seen("PENDING", "a");
const approved = seen("APPROVED", "b");
const query = ({ path }: ReceivedCall): string => path.split("?")[1] ?? "";

test("a wait reads once, then uses long polls with the known entity tag", async () => {
  const { url, received } = await fakeService(pending, approved);
  const { code, out, err, pauses } = await jit(["wait", "jit_one"], { url });
  expect(code).toBe(0);
  expect(out).toContain("APPROVED");
  expect(err).toBe("jit: jit_one waits for 1 more of Ann.\njit: jit_one is approved.\n");
  expect(received.map(query)).toEqual(["", "wait=30s"]);
  expect(received[1]?.headers["if-none-match"]).toBe('"a"');
  expect(pauses).toEqual([]);
});

test("a service that returns at once without a change is not polled in a busy loop", async () => {
  const { url, received } = await fakeService(pending, pending, pending, pending, approved);
  const { pauses } = await jit(["wait", "jit_one"], { url });
  expect(received).toHaveLength(5);
  expect(pauses).toEqual([3_000, 3_000, 3_000]);
});

test("a service without long polls is polled every few seconds", async () => {
  const { url, received } = await fakeService((call): Reply => {
    if (query(call) !== "") return refusal(422, "invalid_body", "Unknown field.");
    return received.length < 8 ? pending : approved;
  });
  const { code, pauses } = await jit(["wait", "jit_one"], { url });
  expect(code).toBe(0);
  expect(received.map(query).slice(-3)).toEqual(["", "", ""]);
  expect(pauses.slice(-2)).toEqual([3_000, 3_000]);
});

test("broken long polls are replaced by polling", async () => {
  let looks = 0;
  const { url } = await fakeService((call): Reply => {
    if (query(call) !== "") return { cut: true };
    return ++looks < 6 ? pending : approved;
  });
  const { code } = await jit(["wait", "jit_one"], { url });
  expect(code).toBe(0);
});

test("a short outage is waited for, a long one is not", async () => {
  const gone = refusal(503, "store_unavailable", "No.", { "retry-after": "10" });
  let calls = 0;
  const back = await fakeService(() => (++calls === 1 ? pending : calls < 20 ? gone : approved));
  expect((await jit(["wait", "jit_one"], { url: back.url })).code).toBe(0);
  const away = await fakeService(pending, gone);
  const { code, err } = await jit(["wait", "jit_one"], { url: away.url });
  expect(code).toBe(5);
  expect(err).toContain("No. (store_unavailable)");
});

test("an unknown request ends the wait at once", async () => {
  const { url, received } = await fakeService(refusal(404, "not_found", "There is none."));
  expect((await jit(["wait", "jit_one"], { url })).code).toBe(4);
  expect(received).toHaveLength(1);
});

test("--timeout limits the wait: exit 7, and it says so", async () => {
  const { url } = await fakeService(pending);
  const { code, out, err, pauses } = await jit(["wait", "jit_one", "--timeout", "10s"], { url });
  expect(code).toBe(7);
  expect(out).toBe("");
  expect(err).toContain("(wait_timed_out)");
  expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBe(10_000);
  // A script still gets the request after the timeout.
  const scripted = await jit(["wait", "jit_one", "--timeout", "10s", "--json"], { url });
  expect(JSON.parse(scripted.out)).toMatchObject({ id: "jit_one", status: "PENDING" });
});

describe("the exit code gives the outcome:", () => {
  test.each([
    ["APPROVED", null, 0],
    ["ACTIVE", null, 0],
    ["COMPLETED", "jit_parent", 0],
    ["COMPLETED", null, 6],
    ["DENIED", null, 6],
    ["CANCELLED", null, 6],
    ["TIMED_OUT", null, 6],
    ["EXPIRED", null, 6],
    ["REVOKED", null, 6],
    ["FAILED", null, 6],
  ])("%s, extending %s: %i", async (status, parent, exit) => {
    const { url } = await fakeService(seen(status, "x", { extends: parent, endReason: "no need" }));
    const { code, err } = await jit(["wait", "jit_one"], { url });
    expect(code).toBe(exit);
    if (exit === 6)
      expect(err.split("\n").at(-2)).toBe(
        `jit: jit_one is ${status}: no need; see jit status jit_one, or ask again. (${status.toLowerCase()})`,
      );
  });
});

describe("ask", () => {
  const asking = ["ask", "read:prod:orders-db", "--for", "1h", "--reason", "why"];
  const token = formatToken("jit", "C".repeat(30));
  const active = seen("ACTIVE", "c", { credential: { id: "cred_a", token } });
  const verbs = (received: readonly ReceivedCall[]): string[] =>
    received.map(({ method, path }) => `${method} ${path.slice(7)}`);

  test("alone returns at once and says how to continue", async () => {
    const { url, received } = await fakeService({ body: me }, { status: 201, body: shown() });
    const { code, err } = await jit(asking, { url });
    expect(code).toBe(0);
    expect(received).toHaveLength(2);
    expect(err).toContain("jit wait jit_one");
  });

  test("--wait waits for the decision", async () => {
    const { url } = await fakeService({ body: me }, { status: 201, body: shown() }, pending, approved);
    const { out, err } = await jit([...asking, "--wait"], { url });
    expect(err).toContain("It stays open when this command is stopped; jit cancel jit_one withdraws it.\n");
    expect(out).toContain("APPROVED");
    expect(err).toContain("jit claim jit_one");
  });

  test("--token-only waits, claims, and prints nothing but the token", async () => {
    const { url, received } = await fakeService(
      { body: me },
      { status: 201, body: shown() },
      pending,
      approved,
      active,
    );
    const { out } = await jit([...asking, "--token-only"], { url });
    expect(out).toBe(`${token}\n`);
    expect(verbs(received).at(-1)).toBe("POST /credentials/jit/jit_one/claim");
  });

  test("--token-only of auto-approved access prints its token without claiming it", async () => {
    const { url, received } = await fakeService({ body: me }, { ...active, status: 201 });
    expect((await jit([...asking, "--token-only"], { url })).out).toBe(`${token}\n`);
    expect(received).toHaveLength(2);
  });

  test("--as submits for somebody else, without reading the caller's identity", async () => {
    const { url, received } = await fakeService({ status: 201, body: shown() });
    await jit([...asking, "--as", "id_eve", "--ticket", "T-1", "--break-glass"], { url });
    expect(JSON.parse(received[0]?.body ?? "")).toEqual({
      identityId: "id_eve",
      reason: "why",
      scopes: ["read:prod:orders-db"],
      duration: "1h",
      ticket: "T-1",
      breakGlass: true,
    });
  });

  test("denied while waiting: exit 6, and no token is printed", async () => {
    const denied = seen("DENIED", "d", { endReason: "not today" });
    const { url } = await fakeService({ body: me }, { status: 201, body: shown() }, pending, denied);
    const { code, out, err } = await jit([...asking, "--token-only"], { url });
    expect({ code, out }).toEqual({ code: 6, out: "" });
    expect(err).toContain("DENIED: not today");
    expect(err.match(/DENIED/g)).toHaveLength(1);
  });
});

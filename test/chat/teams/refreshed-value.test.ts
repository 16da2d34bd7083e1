import { expect, test } from "vitest";
import { createBotConnector } from "../../../src/chat/teams/connection/bot-connector.ts";
import { createRefreshedValue } from "../../../src/chat/teams/connection/refreshed-value.ts";

/** A value that is fresh for 10 ms and usable for 20 ms. The test sets the clock and answers each fetch. */
function setUp() {
  const clock = { now: 0 };
  const fetches: PromiseWithResolvers<string>[] = [];
  const fetchValue = async () => {
    const one = Promise.withResolvers<string>();
    fetches.push(one);
    const value = await one.promise;
    return { value, freshUntil: clock.now + 10, usableUntil: clock.now + 20 };
  };
  const value = createRefreshedValue(
    fetchValue,
    () => clock.now,
    () => 0.5,
  );
  return { clock, fetches, value };
}

async function fetched(word: string) {
  const one = setUp();
  const refreshed = one.value.refresh();
  one.fetches[0]?.resolve(word);
  await refreshed;
  return one;
}

test("a usable value is returned at once, while one fetch at a time gets the next", async () => {
  const { clock, fetches, value } = await fetched("first");
  clock.now = 15;
  expect(value.isFresh()).toBe(false);
  value.refreshInBackground();
  value.refreshInBackground();
  expect(value.usable()).toBe("first");
  expect(fetches).toHaveLength(2);
  fetches[1]?.resolve("second");
  expect(await value.refresh()).toBe("second");
  clock.now = 40;
  expect(value.usable()).toBeUndefined();
});

test("after a failure nothing is fetched during a growing delay, and the failure is thrown at once", async () => {
  const { clock, fetches, value } = setUp();
  for (const [at, wait] of [
    [0, 1_000],
    [1_000, 2_000],
    [3_000, 4_000],
  ] as const) {
    clock.now = at;
    const failing = value.refresh();
    fetches.at(-1)?.reject(new Error(`at ${at}`));
    await expect(failing).rejects.toThrow(`at ${at}`);
    clock.now = at + wait - 1;
    await expect(value.refresh()).rejects.toThrow(`at ${at}`);
  }
  expect(fetches).toHaveLength(3);
});

test("a refused value is fetched again once, then only after a delay", async () => {
  const { clock, fetches, value } = await fetched("refused");
  value.discard(new Error("refused"));
  const again = value.refresh();
  fetches[1]?.resolve("refused too");
  await again;
  value.discard(new Error("refused"));
  await expect(value.refresh()).rejects.toThrow("refused");
  expect(fetches).toHaveLength(2);
  clock.now = 1_000;
  value.refreshInBackground();
  expect(fetches).toHaveLength(3);
});

test("the time limit of a call includes our own sign-in", async () => {
  const tokens = { get: () => new Promise<string>(() => {}), drop: () => {} };
  const connector = createBotConnector({ appId: "app", tenantId: "tenant" }, tokens);
  const limit = new AbortController();
  const asked = connector.member("https://unused.invalid", "a:1", "29:ann", limit.signal);
  limit.abort();
  await expect(asked).rejects.toMatchObject({ code: "login_unreachable" });
});

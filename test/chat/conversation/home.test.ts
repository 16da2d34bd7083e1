import { expect, test } from "vitest";
import type { Home } from "../../../src/chat/conversation/home.ts";
import { minuteMs } from "../../../src/core/values/time.ts";
import { chatForEach, plain } from "./support/chat-harness.ts";
import { chatPolicies, chatRules } from "./support/policy-fixtures.ts";

const { harness, chat, caller, run, press, asked } = chatForEach(chatPolicies, chatRules);

const homeOf = async (name: string): Promise<Home> => {
  const home = await chat().home(await caller(name));
  if ("refused" in home) throw new Error(home.detail);
  return home;
};
const entries = (home: Home, id: Home["sections"][number]["id"]): readonly string[] =>
  (home.sections.find((section) => section.id === id)?.entries ?? []).map((entry) => plain([entry.line]));

test("To decide lists what waits for this person, without decided and own requests", async () => {
  const pay = "request read:pay:ledger for 1h because audit ticket FIN-1";
  await asked("dev", pay);
  await asked("ann", "request read:prod:orders-db for 2h because INC-42");
  expect(entries(await homeOf("ann"), "to_decide")).toEqual([
    "dev: read:pay:ledger for 1 hour · 1 day to decide",
  ]);
  const id = (await homeOf("ann")).sections[0]?.entries[0]?.card.request.id ?? "";
  await press("ann", "approve", id);
  expect(entries(await homeOf("ann"), "to_decide")).toEqual([]);
  expect(entries(await homeOf("bob"), "to_decide")).toHaveLength(2);
});

test("active access shows the time left, pending the deadline, recent how it ended", async () => {
  const id = await asked("dev");
  await press("ann", "approve", id);
  expect(entries(await homeOf("dev"), "pending")).toEqual([
    "read:prod:orders-db for 2 hours · approved · 8 hours to show the credential",
  ]);
  await press("dev", "show_credential", id);
  harness().clock.pass(78 * minuteMs);
  const home = await homeOf("dev");
  expect(entries(home, "active")).toEqual(["read:prod:orders-db for 2 hours · 42 minutes left"]);
  expect(home.sections.find((section) => section.id === "active")?.entries[0]?.card.actions).toContain(
    "done",
  );
  await press("dev", "done", id);
  expect(entries(await homeOf("dev"), "recent")).toEqual([
    expect.stringMatching(/^read:prod:orders-db for 2 hours · done 20.*Z$/),
  ]);
});

test("a manager finds requests that wait for managers", async () => {
  await asked("dev", "request read:team:board for 1h because retro");
  expect(entries(await homeOf("lead"), "to_decide")).toEqual([
    "dev: read:team:board for 1 hour · 1 day to decide",
  ]);
  expect(await run("lead", "home")).toMatchObject({
    kind: "home",
    home: { sections: [{ entries: [{}] }, {}, {}, {}] },
  });
});

test("a section with more than ten entries is cut and says so", async () => {
  await harness().configure(chatPolicies(), {
    ...chatRules,
    limits: { pendingPerIdentity: 50, activePerIdentity: 50 },
  });
  for (let count = 0; count < 12; count++)
    await asked("dev", `request read:prod:db${count} for 1h because x`);
  const pending = (await homeOf("dev")).sections.find((section) => section.id === "pending");
  expect(pending).toMatchObject({ isCut: true });
  expect(pending?.entries).toHaveLength(10);
});

test("entries that do not fit are on the next pages: every request is listed exactly once", async () => {
  for (let count = 0; count < 13; count++) {
    await harness().ask(count % 2 === 0 ? "dev" : "lead", {
      scopes: [`read:prod:db-${count}`],
      duration: "1h",
    });
  }
  const seen: string[] = [];
  let page: number | null = 1;
  while (page !== null) {
    const reply = await chat().menu(await caller("ann"), "home", page);
    if (reply.kind !== "home") throw new Error(reply.kind);
    const toDecide = reply.home.sections.find(({ id }) => id === "to_decide");
    seen.push(...(toDecide?.entries ?? []).map(({ card }) => card.request.id));
    page = reply.home.nextPage;
  }
  expect(new Set(seen).size).toBe(13);
  expect(seen).toHaveLength(13);
});

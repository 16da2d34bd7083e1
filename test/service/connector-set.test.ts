import { expect, test } from "vitest";
import { refuse } from "../../src/core/refusals.ts";
import { createConnectorSet } from "../../src/service/connector-set.ts";
import type { Connector } from "../../src/service/connector.ts";
import { createFakeTarget } from "../fakes/fake-target.ts";

const closed: string[] = [];
const named = (label: string, name = label, close = async () => {}): [string, Connector] => [
  name,
  {
    ...createFakeTarget({ file: "/nowhere/at-all", name }),
    close: async () => {
      closed.push(label);
      await close();
    },
  },
];

test("those that stay stay open, those that leave are closed, and a refused load leaves all as it was", async () => {
  const set = createConnectorSet();
  const stays = named("stays");
  await set.replace(new Map([stays, named("leaves")]), async () => "loaded");
  closed.length = 0;
  await set.replace(new Map([stays, named("new")]), async () => refuse("invalid_body", "no"));
  expect([[...set.current().keys()], closed]).toEqual([["stays", "leaves"], ["new"]]);
  await set
    .replace(new Map([named("failed")]), async () => Promise.reject(new Error("disk")))
    .catch(() => {});
  expect([[...set.current().keys()], closed]).toEqual([
    ["stays", "leaves"],
    ["new", "failed"],
  ]);
  closed.length = 0;
  await set.replace(new Map([stays, named("other", "leaves")]), async () => {
    expect([...set.current().keys()], "in force while they are judged").toEqual(["stays", "leaves"]);
    return "loaded";
  });
  expect(closed).toEqual(["leaves"]);
  await set.close();
  expect(closed).toEqual(["leaves", "stays", "other"]);
});

test("one that does not let go holds up a reload and a stop for no more than two seconds", async () => {
  const set = createConnectorSet();
  const stuck = () => named("stuck", "stuck", () => new Promise(() => {}));
  await set.replace(new Map([stuck()]), async () => "loaded");
  const begun = Date.now();
  await set.replace(new Map([stuck()]), async () => "loaded");
  expect(Date.now() - begun).toBeLessThan(3_000);
  await set.close();
  expect(Date.now() - begun).toBeLessThan(6_000);
});

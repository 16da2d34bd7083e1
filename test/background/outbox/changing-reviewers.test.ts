import { expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { hourMs, minuteMs } from "../../../src/core/values/time.ts";
import { emptyRules, type Rules } from "../../../src/core/policy/policy.ts";
import { byDba, changingPeople, ctoAdministers } from "../../service/support/directory-harness.ts";
import { granted } from "../../service/support/service-harness.ts";
import { fakeMessenger, isDown } from "./support/fake-messenger.ts";

const rules = {
  ...ctoAdministers,
  breakGlass: {
    ...emptyRules.breakGlass,
    allowed: [{ kind: "group", group: "oncall" }],
    review: { ...emptyRules.breakGlass.review, by: [{ kind: "group", group: "dba" }] },
  },
} satisfies Partial<Rules>;
const { office, relay, slack, email, change, members } = changingPeople([byDba], rules);

const cardOf = (name: string) => assertPresent(slack().cardsAt(`@id_${name}`).at(-1), `${name}'s card`);

/** Dev takes emergency access, and claims it. */
const emergency = async (): Promise<string> => {
  const { request } = granted(await office().ask("dev", { duration: "1h", breakGlass: true }));
  await office().services.requestCommands.claim(await office().caller("dev"), request.id);
  await relay().drain();
  return request.id;
};
const judge = async (name: string, id: string, outcome: "justified" | "unjustified" = "justified") =>
  granted(
    await office().services.requestCommands.review(await office().caller(name), id, {
      outcome,
      comment: "seen",
    }),
  );

test("a new member of the reviewers' group is told and gets the card; nobody else is told again", async () => {
  const id = await emergency();
  const before = email().noticesAt("@id_ann");
  await members("dba", "ann", "bob", "cid", "sam");
  expect(cardOf("sam")).toMatchObject({ audience: "reviewer", request: { id } });
  expect(cardOf("sam").actions).toEqual(["justified", "not_justified", "revoke"]);
  expect(email().noticesAt("@id_sam")).toEqual(["reviewer_added"]);
  expect(email().noticesAt("@id_ann")).toEqual(before);
  expect(slack().cardsAt("@id_ann")).toHaveLength(1);
  await judge("sam", id);
});

test("a member who joins after the access is over is told too, until it is judged", async () => {
  const id = await emergency();
  office().clock.pass(2 * hourMs);
  await office().services.grants.tick(id);
  await relay().drain();
  await members("dba", "ann", "bob", "cid", "sam");
  expect(cardOf("sam").actions).toEqual(["justified", "not_justified"]);
  await judge("ann", id);
  await relay().drain();
  await members("dba", "ann", "bob", "cid", "sam", "sec");
  expect(slack().cardsAt("@id_sec")).toEqual([]);
  expect(email().noticesAt("@id_sec")).toEqual([]);
});

test("nobody is told of what was judged already, justified or not", async () => {
  await judge("ann", await emergency(), "unjustified");
  await members("dba", "ann", "bob", "cid", "sam");
  expect(slack().cardsAt("@id_sam")).toEqual([]);
});

test("whoever took the access is not told when they join, nor is somebody who joins another group", async () => {
  await emergency();
  await members("dba", "ann", "bob", "cid", "dev");
  await members("security", "sec", "sam");
  expect(
    slack()
      .cardsAt("@id_dev")
      .map(({ audience }) => audience),
  ).toEqual(["requester"]);
  expect(email().noticesAt("@id_dev")).not.toContain("reviewer_added");
  expect(slack().cardsAt("@id_sam")).toEqual([]);
});

test("somebody is told once, however often people change", async () => {
  await emergency();
  await members("dba", "ann", "bob", "cid", "sam");
  await members("dba", "ann", "bob", "cid");
  expect(cardOf("sam").actions).toEqual([]);
  await members("dba", "ann", "bob", "cid", "sam");
  expect(slack().cardsAt("@id_sam")).toHaveLength(1);
  expect(cardOf("sam").actions).toContain("justified");
  expect(email().noticesAt("@id_sam")).toEqual(["reviewer_added"]);
});

test("who is no reviewer any more when the message could go out gets none", async () => {
  await emergency();
  slack().trouble = (address) => (address === "@id_sam" ? isDown() : undefined);
  email().trouble = slack().trouble;
  await members("dba", "ann", "bob", "cid", "sam");
  await members("dba", "ann", "bob", "cid");
  slack().trouble = () => undefined;
  email().trouble = () => undefined;
  office().clock.pass(10 * minuteMs);
  await relay().drain();
  expect(slack().cardsAt("@id_sam")).toEqual([]);
  expect(email().noticesAt("@id_sam")).toEqual([]);
  // And is told all the same when they may judge again.
  await members("dba", "ann", "bob", "cid", "sam");
  expect(slack().cardsAt("@id_sam")).toHaveLength(1);
});

test("whom an announcement that is still on its way will tell is not told twice", async () => {
  const { request } = granted(await office().ask("dev", { duration: "1h", breakGlass: true }));
  await office().services.requestCommands.claim(await office().caller("dev"), request.id);
  await members("dba", "ann", "bob", "cid", "sam");
  expect(slack().cardsAt("@id_sam")).toHaveLength(1);
  expect(email().noticesAt("@id_sam")).not.toContain("reviewer_added");
});

test("the new manager of whoever took the access is told, where managers review", async () => {
  const byManager: Rules["breakGlass"] = {
    ...rules.breakGlass,
    review: { ...rules.breakGlass.review, by: [{ kind: "manager" }] },
  };
  await office().configure([byDba], { ...rules, breakGlass: byManager });
  await emergency();
  expect(cardOf("lead").audience).toBe("reviewer");
  const manager = (await office().caller("cto")).identity.id;
  await change(({ name }) => (name === "dev" ? { managerId: manager } : {}));
  expect(cardOf("cto").actions).toContain("justified");
});

test("every open review is looked at when so many have changed that nobody counts them", async () => {
  await emergency();
  const many = Array.from({ length: 600 }, (_, at) => `group-${at}`);
  await change(({ name, groups }) => (name === "sam" ? { groups: [...groups, "dba", ...many] } : {}));
  await change(({ name, groups }) => (name === "sec" ? { groups: [...groups, ...many] } : { groups }));
  expect(slack().cardsAt("@id_sam")).toHaveLength(1);
});

test("a reviewer who can be reached on another platform only is told there", async () => {
  const teams = fakeMessenger("teams", { reaches: (id) => id === "id_sam" });
  office().context.surfaces.add(teams);
  await emergency();
  await members("dba", "ann", "bob", "cid", "sam");
  expect(teams.cardsAt("@id_sam")).toHaveLength(1);
});

import { expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { hourMs, minuteMs } from "../../../src/core/values/time.ts";
import { emptyRules, type Rules } from "../../../src/core/policy/policy.ts";
import { byDba, changingPeople, ctoAdministers } from "../../service/support/directory-harness.ts";
import { unwrap } from "../../service/support/service-harness.ts";
import { fakeMessenger, failAsDown } from "./support/fake-messenger.ts";

const rules = {
  ...ctoAdministers,
  breakGlass: {
    ...emptyRules.breakGlass,
    allowed: [{ kind: "group", group: "oncall" }],
    review: { ...emptyRules.breakGlass.review, by: [{ kind: "group", group: "dba" }] },
  },
} satisfies Partial<Rules>;
const { harness, relay, slack, email, change, members } = changingPeople([byDba], rules);

const cardOf = (name: string) => assertPresent(slack().cardsAt(`@id_${name}`).at(-1), `${name}'s card`);

/** Dev takes emergency access and claims it. */
const startEmergency = async (): Promise<string> => {
  const { request } = unwrap(await harness().ask("dev", { duration: "1h", breakGlass: true }));
  await harness().services.requestCommands.claim(await harness().caller("dev"), request.id);
  await relay().drain();
  return request.id;
};
const review = async (name: string, id: string, outcome: "justified" | "unjustified" = "justified") =>
  unwrap(
    await harness().services.requestCommands.review(await harness().caller(name), id, {
      outcome,
      comment: "seen",
    }),
  );

test("a new member of the reviewers' group gets the notice and the card; nobody is notified again", async () => {
  const id = await startEmergency();
  const before = email().noticesAt("@id_ann");
  await members("dba", "ann", "bob", "cid", "sam");
  expect(cardOf("sam")).toMatchObject({ audience: "reviewer", request: { id } });
  expect(cardOf("sam").actions).toEqual(["justified", "not_justified", "revoke"]);
  expect(email().noticesAt("@id_sam")).toEqual(["reviewer_added"]);
  expect(email().noticesAt("@id_ann")).toEqual(before);
  expect(slack().cardsAt("@id_ann")).toHaveLength(1);
  await review("sam", id);
});

test("a member who joins after the access ended is notified too, until it is reviewed", async () => {
  const id = await startEmergency();
  harness().clock.pass(2 * hourMs);
  await harness().services.grants.tick(id);
  await relay().drain();
  await members("dba", "ann", "bob", "cid", "sam");
  expect(cardOf("sam").actions).toEqual(["justified", "not_justified"]);
  await review("ann", id);
  await relay().drain();
  await members("dba", "ann", "bob", "cid", "sam", "sec");
  expect(slack().cardsAt("@id_sec")).toEqual([]);
  expect(email().noticesAt("@id_sec")).toEqual([]);
});

test("nobody is notified of access that was reviewed already, justified or not", async () => {
  await review("ann", await startEmergency(), "unjustified");
  await members("dba", "ann", "bob", "cid", "sam");
  expect(slack().cardsAt("@id_sam")).toEqual([]);
});

test("neither the holder nor a new member of another group is notified", async () => {
  await startEmergency();
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

test("a reviewer is notified once, however often people change", async () => {
  await startEmergency();
  await members("dba", "ann", "bob", "cid", "sam");
  await members("dba", "ann", "bob", "cid");
  expect(cardOf("sam").actions).toEqual([]);
  await members("dba", "ann", "bob", "cid", "sam");
  expect(slack().cardsAt("@id_sam")).toHaveLength(1);
  expect(cardOf("sam").actions).toContain("justified");
  expect(email().noticesAt("@id_sam")).toEqual(["reviewer_added"]);
});

test("a person who is no longer a reviewer when the message is sent gets none", async () => {
  await startEmergency();
  slack().failure = (address) => (address === "@id_sam" ? failAsDown() : undefined);
  email().failure = slack().failure;
  await members("dba", "ann", "bob", "cid", "sam");
  await members("dba", "ann", "bob", "cid");
  slack().failure = () => undefined;
  email().failure = () => undefined;
  harness().clock.pass(10 * minuteMs);
  await relay().drain();
  expect(slack().cardsAt("@id_sam")).toEqual([]);
  expect(email().noticesAt("@id_sam")).toEqual([]);
  // They are notified when they can review again.
  await members("dba", "ann", "bob", "cid", "sam");
  expect(slack().cardsAt("@id_sam")).toHaveLength(1);
});

test("a reviewer in a pending announcement is not notified twice", async () => {
  const { request } = unwrap(await harness().ask("dev", { duration: "1h", breakGlass: true }));
  await harness().services.requestCommands.claim(await harness().caller("dev"), request.id);
  await members("dba", "ann", "bob", "cid", "sam");
  expect(slack().cardsAt("@id_sam")).toHaveLength(1);
  expect(email().noticesAt("@id_sam")).not.toContain("reviewer_added");
});

test("the new manager of the holder is notified, where managers review", async () => {
  const byManager: Rules["breakGlass"] = {
    ...rules.breakGlass,
    review: { ...rules.breakGlass.review, by: [{ kind: "manager" }] },
  };
  await harness().configure([byDba], { ...rules, breakGlass: byManager });
  await startEmergency();
  expect(cardOf("lead").audience).toBe("reviewer");
  const manager = (await harness().caller("cto")).identity.id;
  await change(({ name }) => (name === "dev" ? { managerId: manager } : {}));
  expect(cardOf("cto").actions).toContain("justified");
});

test("every open review is checked when too many people changed to list them", async () => {
  await startEmergency();
  const many = Array.from({ length: 600 }, (_, at) => `group-${at}`);
  await change(({ name, groups }) => (name === "sam" ? { groups: [...groups, "dba", ...many] } : {}));
  await change(({ name, groups }) => (name === "sec" ? { groups: [...groups, ...many] } : { groups }));
  expect(slack().cardsAt("@id_sam")).toHaveLength(1);
});

test("a reviewer who can only be reached on another platform is notified there", async () => {
  const teams = fakeMessenger("teams", { reaches: (id) => id === "id_sam" });
  harness().context.surfaces.add(teams);
  await startEmergency();
  await members("dba", "ann", "bob", "cid", "sam");
  expect(teams.cardsAt("@id_sam")).toHaveLength(1);
});

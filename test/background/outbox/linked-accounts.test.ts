import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { emptyRules, type Rules } from "../../../src/core/policy/policy.ts";
import type { Relay } from "../../../src/background/outbox/relay.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { unwrap, openServiceHarness, type ServiceHarness } from "../../service/support/service-harness.ts";
import { createHarnessRelay } from "./support/harness-relay.ts";
import { fakeMessenger, type FakeMessenger } from "./support/fake-messenger.ts";

const byTwoDbas = approvalPolicy("dba", { stages: [stageBy("group:dba", { required: 2 })] });

let harness: ServiceHarness;
let relay: Relay;
let slack: FakeMessenger;
let email: FakeMessenger;
let isReached: (id: string) => boolean;

beforeEach(async () => {
  harness = await openServiceHarness();
  await harness.configure([byTwoDbas]);
  isReached = () => true;
  slack = fakeMessenger("slack", { reaches: (id) => isReached(id) });
  email = fakeMessenger("email", { reaches: (id) => isReached(id) });
  harness.context.surfaces.add(slack);
  harness.context.surfaces.add(email);
  relay = createHarnessRelay(harness, []);
});
afterEach(async () => {
  await relay.stop();
  await harness.close();
});

describe("linking an account to a person", () => {
  const account = { surface: "slack", team: "T1", user: "U1" } as const;
  const linkNotices = (name: string) =>
    slack.noticesAt(`@id_${name}`).filter((notice) => notice === "account_linked");

  test("by an administrator notifies the person once, with the name of the administrator", async () => {
    const admin = await harness.caller("sec", "admin");
    await harness.services.accountLinks.link(admin, account, "id_dev");
    await harness.services.accountLinks.link(admin, account, "id_dev");
    await relay.drain();
    expect(linkNotices("dev")).toEqual(["account_linked"]);
    expect(email.noticesAt("@id_dev")).toContain("account_linked");
    expect(slack.notes.find(({ note }) => note.about === "account_linked")?.note).toMatchObject({
      account,
      byName: "sec",
    });
  });

  test("by e-mail address or through the API notifies the person", async () => {
    await harness.services.accountLinks.linkByEmail(account, "dev@company.com");
    await relay.drain();
    expect(linkNotices("dev")).toEqual(["account_linked"]);
    const admin = await harness.caller("sec", "admin");
    const created = await harness.services.directory.create(admin, {
      kind: "HUMAN",
      name: "new",
      email: "new@company.com",
      groups: [],
      links: { slack: { teamId: "T1", userId: "U2" } },
      active: true,
    });
    await relay.drain();
    expect("id" in created && slack.noticesAt(`@${created.id}`)).toEqual(["account_linked"]);
  });

  test("sends them the cards of requests that wait for their decision", async () => {
    isReached = (id) => id !== "id_ann";
    unwrap(await harness.ask("dev"));
    await relay.drain();
    expect(slack.cardsAt("@id_ann")).toEqual([]);
    isReached = () => true;
    await harness.services.accountLinks.link(await harness.caller("sec", "admin"), account, "id_ann");
    await relay.drain();
    expect(slack.cardsAt("@id_ann")).toMatchObject([{ audience: "approver" }]);
    expect(slack.cardsAt("@id_bob")).toHaveLength(1);
  });

  describe("of a reviewer of emergency access", () => {
    const reviewedByDba = {
      breakGlass: {
        ...emptyRules.breakGlass,
        allowed: [{ kind: "group", group: "oncall" }],
        review: { ...emptyRules.breakGlass.review, by: [{ kind: "group", group: "dba" }] },
      },
    } satisfies Partial<Rules>;
    const startEmergency = async (): Promise<string> => {
      await harness.configure([byTwoDbas], reviewedByDba);
      isReached = (id) => id !== "id_ann";
      const { request } = unwrap(await harness.ask("dev", { duration: "1h", breakGlass: true }));
      await harness.services.requestCommands.claim(await harness.caller("dev"), request.id);
      await relay.drain();
      expect(slack.cardsAt("@id_ann")).toEqual([]);
      return request.id;
    };
    const linkAnn = async (): Promise<void> => {
      isReached = () => true;
      await harness.services.accountLinks.link(await harness.caller("sec", "admin"), account, "id_ann");
      await relay.drain();
    };

    test("sends them the card of an open review, without another e-mail", async () => {
      const id = await startEmergency();
      await linkAnn();
      const [card] = slack.cardsAt("@id_ann");
      expect(card).toMatchObject({ audience: "reviewer", request: { id } });
      expect(card?.actions).toEqual(["justified", "not_justified", "revoke"]);
      expect(email.noticesAt("@id_ann")).toEqual(["account_linked"]);
      expect(slack.cardsAt("@id_bob")).toHaveLength(1);
    });

    test("sends one card, however often they become reachable", async () => {
      await startEmergency();
      await linkAnn();
      await harness.services.accountLinks.becameReachable(account);
      await relay.drain();
      expect(slack.cardsAt("@id_ann")).toHaveLength(1);
    });

    test("sends nothing once somebody has reviewed the access", async () => {
      const id = await startEmergency();
      const verdict = { outcome: "unjustified", comment: "seen" } as const;
      await harness.services.requestCommands.review(await harness.caller("bob"), id, verdict);
      await linkAnn();
      expect(slack.cardsAt("@id_ann")).toEqual([]);
    });

    test("sends nothing to a person who cannot review", async () => {
      await startEmergency();
      await harness.services.accountLinks.link(await harness.caller("sec", "admin"), account, "id_sam");
      await relay.drain();
      expect(slack.cardsAt("@id_sam")).toEqual([]);
    });
  });
});

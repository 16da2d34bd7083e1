import { expect, test } from "vitest";
import { minuteMs } from "../../src/core/values/time.ts";
import { contractScope, members, type DeliveriesHarness } from "./deliveries-harness.ts";

/** What holds for the copies that reviewers of emergencies have, wherever copies are kept. */
export function reviewerCopiesContract(house: () => DeliveriesHarness): void {
  const emergency = async (h: DeliveriesHarness): Promise<string> => {
    const answer = await h.service.ask("dev", { scopes: [contractScope], duration: "1h", breakGlass: true });
    const id = "request" in answer ? answer.request.id : answer.detail;
    await h.service.services.requestCommands.claim(await h.service.caller("dev"), id);
    await h.settle();
    return id;
  };

  test("who leaves the reviewers of an emergency has nothing to judge any more and reads why", async () => {
    const h = house();
    await members(h, "ann", "bob", "cid");
    const id = await emergency(h);
    h.service.clock.pass(90 * minuteMs);
    await h.service.services.grants.tick(id);
    await h.settle();
    const judging = () => h.withButtons().filter(({ buttons }) => buttons.includes("Justified")).length;
    // A card and a note for each of the three.
    expect(judging()).toBe(6);
    await members(h, "ann", "bob");
    expect(judging()).toBe(4);
    for (const { words, buttons } of h.deliveriesOf("cid")) {
      expect(buttons).toEqual([]);
      expect(words).toContain("You can no longer review this");
    }
    await members(h);
    expect(judging()).toBe(0);
  });

  test("who joins the reviewers of an emergency gets a copy, and judges it there", async () => {
    const h = house();
    await members(h, "ann");
    const id = await emergency(h);
    expect(h.deliveriesOf("bob")).toEqual([]);
    await members(h, "ann", "bob");
    expect(h.deliveriesOf("bob").map(({ buttons }) => buttons)).toEqual([
      ["Justified", "Not justified", "Revoke"],
    ]);
    await h.service.services.requestCommands.review(await h.service.caller("bob"), id, {
      outcome: "justified",
      comment: "it was down",
    });
    await h.settle();
    for (const { buttons } of h.deliveriesOf("bob")) expect(buttons).not.toContain("Justified");
    await members(h, "ann", "bob", "cid");
    expect(h.deliveriesOf("cid")).toEqual([]);
  });
}

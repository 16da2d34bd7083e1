import { expect, test } from "vitest";
import { minuteMs } from "../../src/core/values/time.ts";
import { contractScope, members, type DeliveriesHarness } from "./deliveries-harness.ts";

/** The contract of cards for reviewers of break-glass access. */
export function reviewerDeliveriesContract(harness: () => DeliveriesHarness): void {
  const useBreakGlass = async (h: DeliveriesHarness): Promise<string> => {
    const answer = await h.service.ask("dev", { scopes: [contractScope], duration: "1h", breakGlass: true });
    const id = "request" in answer ? answer.request.id : answer.detail;
    await h.service.services.requestCommands.claim(await h.service.caller("dev"), id);
    await h.settle();
    return id;
  };

  test("a former reviewer of break-glass access cannot judge it and reads why", async () => {
    const h = harness();
    await members(h, "ann", "bob", "cid");
    const id = await useBreakGlass(h);
    h.service.clock.pass(90 * minuteMs);
    await h.service.services.grants.tick(id);
    await h.settle();
    const judging = () => h.withButtons().filter(({ buttons }) => buttons.includes("Justified")).length;
    // Each of the three has a card and a note.
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

  test("a new reviewer of break-glass access gets a card and judges it there", async () => {
    const h = harness();
    await members(h, "ann");
    const id = await useBreakGlass(h);
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

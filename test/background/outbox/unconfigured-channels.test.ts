import { expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { parseSelector } from "../../../src/core/values/identity.ts";
import { emptyRules } from "../../../src/core/policy/policy.ts";
import { unwrap, openServiceHarness } from "../../service/support/service-harness.ts";
import { fakeMessenger } from "./support/fake-messenger.ts";
import { createHarnessRelay } from "./support/harness-relay.ts";

test("an emergency alert to an unconfigured channel is recorded once for each channel", async () => {
  const harness = await openServiceHarness();
  const relay = createHarnessRelay(harness, []);
  const slack = fakeMessenger("slack");
  harness.context.surfaces.add(slack);
  const { breakGlass } = emptyRules;
  const allowed = [assertPresent(parseSelector("identity:id_dev"), "selector")];
  const notify = ["slack:C0SEC", "teams:19:sec@thread.tacv2"];
  await harness.configure([], { breakGlass: { ...breakGlass, allowed, notify } });
  const { request } = unwrap(await harness.ask("dev", { breakGlass: true, duration: "1h" }));
  await relay.drain();
  expect(slack.cardsAt("C0SEC")).toHaveLength(1);
  const failed = (await harness.audit()).filter(({ action }) => action === "notification.failed");
  expect(failed).toMatchObject([
    {
      request: request.id,
      data: {
        surface: "teams",
        channel: "teams:19:sec@thread.tacv2",
        what: "break_glass_used",
        code: "not_configured",
      },
    },
  ]);
  await relay.stop();
  await harness.close();
});

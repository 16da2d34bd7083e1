import { onTestFinished } from "vitest";
import type { AuditAction } from "../../../../src/core/audit/audit-record.ts";
import type { Webhook } from "../../../../src/core/audit/webhook-subscription.ts";
import { guardedPost } from "../../../../src/http-client/guarded-post.ts";
import type { Store } from "../../../../src/service/ports/store.ts";
import { withCommitListeners } from "../../../../src/service/ports/observed-store.ts";
import { createWebhooks, type Webhooks } from "../../../../src/notify/webhooks/webhooks.ts";
import { auditFixture, hashOf, stepFixture } from "../../../support/fixtures.ts";
import { settableClock, type SettableClock } from "../../../support/settable-clock.ts";
import { committed } from "../../../support/committed.ts";
import { openTestStore, temporaryFolder } from "../../../support/test-store.ts";
import type { Receiver } from "./receiver.ts";

export interface WebhookHarness {
  readonly store: Store;
  readonly webhooks: Webhooks;
  readonly clock: SettableClock;
  readonly log: readonly { readonly level: string; readonly msg: string; readonly facts: object }[];
  /** Records one event of each action. */
  record(...actions: readonly AuditAction[]): Promise<void>;
  /** Lets time pass and sends what is due then. */
  pass(ms: number): Promise<void>;
  /** Stops, and starts again on the same database. */
  restart(): Promise<WebhookHarness>;
}

/** Webhooks with their own store, a settable clock and no jitter. */
export async function openWebhookHarness(
  folder = temporaryFolder(),
  clock = settableClock(Date.now()),
): Promise<WebhookHarness> {
  const bareStore = await openTestStore(folder);
  const log: { level: string; msg: string; facts: object }[] = [];
  const logged = (level: string) => (facts: object, msg: string) => void log.push({ level, msg, facts });
  const webhooks = createWebhooks({
    store: bareStore,
    runtime: { now: clock.now, sha256: hashOf },
    post: guardedPost,
    random: () => 0,
    log: { info: logged("info"), warn: logged("warn"), error: logged("error") },
  });
  const store = withCommitListeners(bareStore, [webhooks.onCommit]);
  onTestFinished(() => webhooks.stop());
  return {
    store,
    webhooks,
    clock,
    log,
    record: async (...actions) => {
      for (const action of actions)
        await committed(store, stepFixture({ audit: [auditFixture({ action })] }));
    },
    async pass(ms) {
      clock.pass(ms);
      await webhooks.drain();
    },
    async restart() {
      await webhooks.stop();
      await bareStore.close();
      return openWebhookHarness(folder, clock);
    },
  };
}

/** A webhook that sends all grant events to this receiver. */
export function hookOf(receiver: Receiver, changes: Partial<Webhook> = {}): Webhook {
  const { url, secret } = receiver;
  return { name: "siem", url, secret, events: ["grant.*"], allowPrivate: true, ...changes };
}

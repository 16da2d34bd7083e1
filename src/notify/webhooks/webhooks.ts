import type { Webhook } from "../../core/audit/webhook-subscription.ts";
import type { GuardedPost } from "../../http-client/guarded-post.ts";
import type { Cursor, Store, Write } from "../../service/ports/store.ts";
import type { Runtime } from "../../service/ports/runtime.ts";
import { recordOnly } from "../../service/decisions/decide-and-commit.ts";
import type { CommitListener } from "../../service/ports/observed-store.ts";
import { createDelivery } from "./deliver.ts";
import { createPump, type WebhookLog } from "./pump.ts";

/** What is recorded within this is looked for together. */
const debounceMs = 20;

export interface Webhooks {
  /**
   * Makes these the webhooks. A new one begins with what is recorded from now on; one that is known goes on where it
   * was; one that is gone is forgotten. Whatever was disabled is tried again.
   */
  configure(webhooks: readonly Webhook[]): Promise<void>;
  /** Wakes them when something was recorded. */
  readonly onCommit: CommitListener;
  /** Wakes them for what time alone makes due. Does not wait: a receiver may be slow. */
  readonly sweep: { readonly name: string; run(): Promise<void> };
  /** Sends what is due, and returns when nothing is. */
  drain(): Promise<void>;
  /** Breaks off what is under way; it is sent again after the next start. */
  stop(): Promise<void>;
}

export interface WebhookPorts {
  readonly store: Pick<Store, "auditEvents" | "auditHead" | "commit" | "cursors">;
  readonly runtime: Pick<Runtime, "now" | "sha256">;
  readonly post: GuardedPost;
  /** 0 to 1, for jitter. */
  readonly random: () => number;
  readonly log: WebhookLog;
}

const prefix = "webhook:";

/** Tells programs of audit events. Each has a pump of its own, so that none waits for another's receiver. */
export function createWebhooks(ports: WebhookPorts): Webhooks {
  const { store, runtime, log } = ports;
  const deliver = createDelivery(ports.post, runtime.now);
  let pumps: readonly (() => Promise<void>)[] = [];
  let breakOff = new AbortController();
  let wakeTimer: NodeJS.Timeout | undefined;

  const drain = async (): Promise<void> => {
    await Promise.all(
      pumps.map((pump) => pump().catch((err: unknown) => log.error({ err }, "webhook could not go on"))),
    );
  };
  const wake = (): void => {
    wakeTimer ??= setTimeout(() => {
      wakeTimer = undefined;
      void drain();
    }, debounceMs);
  };
  const halt = async (): Promise<void> => {
    breakOff.abort();
    clearTimeout(wakeTimer);
    wakeTimer = undefined;
    await drain();
    pumps = [];
  };

  return {
    async configure(webhooks) {
      await halt();
      const { cursors, writes } = await placed(ports, webhooks);
      if (writes.length > 0) await store.commit({ ...recordOnly([]), writes });
      breakOff = new AbortController();
      const { signal } = breakOff;
      const pumpPorts = { ...ports, now: runtime.now, deliver, signal };
      pumps = webhooks.flatMap((webhook, index) => {
        const cursor = cursors[index];
        return cursor === undefined ? [] : [createPump(pumpPorts, webhook, cursor)];
      });
      wake();
    },
    onCommit({ audit }) {
      if (audit.length > 0 && pumps.length > 0) wake();
    },
    sweep: {
      name: "webhooks",
      async run() {
        wake();
      },
    },
    drain,
    stop: halt,
  };
}

/** Where each webhook stands now, and what has to be written for that. */
async function placed(
  { store, runtime }: WebhookPorts,
  webhooks: readonly Webhook[],
): Promise<{ readonly cursors: readonly Cursor[]; readonly writes: readonly Write[] }> {
  const { seq } = await store.auditHead();
  const known = new Map((await store.cursors()).map((one) => [one.name, one]));
  const cursors = webhooks.map((webhook): Cursor => {
    const name = prefix + webhook.name;
    const configuration = runtime.sha256(JSON.stringify(webhook));
    const before = known.get(name);
    const fresh = { name, attempts: 0, failingSince: null, dueAt: null, disabled: null, configuration };
    if (before === undefined) return { ...fresh, seq };
    return before.configuration === configuration
      ? { ...before, disabled: null }
      : { ...fresh, seq: before.seq };
  });
  const changed = cursors.filter((one) => {
    const before = known.get(one.name);
    return before?.configuration !== one.configuration || before.disabled !== one.disabled;
  });
  const names = new Set(cursors.map((one) => one.name));
  const gone = [...known.keys()].filter((name) => name.startsWith(prefix) && !names.has(name));
  return {
    cursors,
    writes: [
      ...changed.map((value) => ({ kind: "cursor", value }) as const),
      ...gone.map((name) => ({ kind: "cursorDropped", name }) as const),
    ],
  };
}

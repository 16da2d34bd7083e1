import type { Webhook } from "../../core/audit/webhook-subscription.ts";
import type { GuardedPost } from "../../http-client/guarded-post.ts";
import type { Cursor, Store, Write } from "../../service/ports/store.ts";
import type { Runtime } from "../../service/ports/runtime.ts";
import { recordOnly } from "../../service/decisions/decide-and-commit.ts";
import type { CommitListener } from "../../service/ports/observed-store.ts";
import { createDelivery } from "./deliver.ts";
import { createPump, type WebhookLog } from "./pump.ts";

/** Records committed within this time are read together. */
const debounceMs = 20;

export interface Webhooks {
  /**
   * Replaces the configured webhooks. A new one starts with the next record, a known one continues at its cursor, and
   * the cursor of a removed one is deleted. Disabled webhooks are tried again.
   */
  configure(webhooks: readonly Webhook[]): Promise<void>;
  /** Sends new records. */
  readonly onCommit: CommitListener;
  /** Starts the retries that are due. Does not wait for them, because a receiver may be slow. */
  readonly sweep: { readonly name: string; run(): Promise<void> };
  /** Sends what is due, and resolves when nothing is. */
  drain(): Promise<void>;
  /** Aborts running attempts; the next start repeats them. */
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

/** Sends audit events to webhooks. Each has its own pump, so that none waits for another's receiver. */
export function createWebhooks(ports: WebhookPorts): Webhooks {
  const { store, runtime, log } = ports;
  const deliver = createDelivery(ports.post, runtime.now);
  let pumps: readonly (() => Promise<void>)[] = [];
  let abort = new AbortController();
  let wakeTimer: NodeJS.Timeout | undefined;

  const drain = async (): Promise<void> => {
    await Promise.all(
      pumps.map((pump) => pump().catch((err: unknown) => log.error({ err }, "webhook cursor unavailable"))),
    );
  };
  const wake = (): void => {
    wakeTimer ??= setTimeout(() => {
      wakeTimer = undefined;
      void drain();
    }, debounceMs);
  };
  const halt = async (): Promise<void> => {
    abort.abort();
    clearTimeout(wakeTimer);
    wakeTimer = undefined;
    await drain();
    pumps = [];
  };

  return {
    async configure(webhooks) {
      await halt();
      const { cursors, writes } = await cursorsFor(ports, webhooks);
      if (writes.length > 0) await store.commit({ ...recordOnly([]), writes });
      abort = new AbortController();
      const { signal } = abort;
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

/** The cursor of each webhook, and the writes that store the changes. */
async function cursorsFor(
  { store, runtime }: WebhookPorts,
  webhooks: readonly Webhook[],
): Promise<{ readonly cursors: readonly Cursor[]; readonly writes: readonly Write[] }> {
  const { seq } = await store.auditHead();
  const known = new Map((await store.cursors()).map((cursor) => [cursor.name, cursor]));
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
  const changed = cursors.filter(({ name, configuration, disabled }) => {
    const before = known.get(name);
    return before?.configuration !== configuration || before.disabled !== disabled;
  });
  const names = new Set(cursors.map(({ name }) => name));
  const removed = [...known.keys()].filter((name) => name.startsWith(prefix) && !names.has(name));
  return {
    cursors,
    writes: [
      ...changed.map((value) => ({ kind: "cursor", value }) as const),
      ...removed.map((name) => ({ kind: "cursorDropped", name }) as const),
    ],
  };
}

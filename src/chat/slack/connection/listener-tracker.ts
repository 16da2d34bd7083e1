import type { App } from "@slack/bolt";

/** Counts running listeners, because Bolt does not wait for them when it stops. */
export function trackListeners(app: App) {
  let count = 0;
  let becameIdle: (() => void) | undefined;
  app.use(async ({ next }) => {
    count++;
    try {
      await next();
    } finally {
      count--;
      if (count === 0) becameIdle?.();
    }
  });
  return {
    async idle(withinMs: number): Promise<void> {
      if (count === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, withinMs);
      becameIdle = resolve;
      await promise;
      clearTimeout(timer);
    },
  };
}

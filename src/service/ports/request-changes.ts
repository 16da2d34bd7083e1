import type { RequestId } from "../../core/values/ids.ts";
import type { CommitListener } from "./observed-store.ts";

/** Lets a reader wait for the next change of a request. Changes are not stored: a reader misses earlier ones. */
export interface RequestChanges {
  readonly onCommit: CommitListener;
  /** Resolves at the next change of the request, after `withinMs` or on abort, whichever comes first. */
  next(id: RequestId, withinMs: number, signal: AbortSignal): Promise<void>;
}

export function createRequestChanges(): RequestChanges {
  const waiting = new Map<RequestId, Set<() => void>>();
  return {
    onCommit: ({ writes }) => {
      for (const write of writes) {
        const id =
          write.kind === "request"
            ? write.value.id
            : write.kind === "grant"
              ? write.value.requestId
              : undefined;
        if (id !== undefined) for (const wake of waiting.get(id) ?? []) wake();
      }
    },
    async next(id, withinMs, signal) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const wakers = waiting.get(id) ?? new Set();
      waiting.set(id, wakers.add(resolve));
      const timer = setTimeout(resolve, withinMs);
      signal.addEventListener("abort", () => resolve(), { once: true });
      if (signal.aborted) resolve();
      await promise;
      clearTimeout(timer);
      wakers.delete(resolve);
      if (wakers.size === 0) waiting.delete(id);
    },
  };
}

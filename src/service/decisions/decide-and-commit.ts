import type { AuditEntry } from "../../core/audit/audit-record.ts";
import { refuse, type Refusal } from "../../core/values/refusals.ts";
import type { CommitResult, Step, Store } from "../ports/store.ts";
import { createKeyedMutex, type Release, type KeyedMutex } from "../async/keyed-mutex.ts";

/** How often a decision is retried when others commit first. After that the call fails with 503. */
const attemptsMax = 12;

/** After losing a conflict, callers queue for the record, first come first served, so that everyone is served. */
const mutexOf = new WeakMap<Store, KeyedMutex>();

/**
 * One attempt: a step with the answer once it is committed, a refusal, or `asWanted` when nothing needs writing. That
 * case is explicit, so that a forgotten step is a type error.
 */
export type DecisionAttempt<T> =
  | { readonly step: Step; readonly result: T }
  | { readonly asWanted: T }
  | Refusal;

/**
 * Load → decide → evolve → commit. When another commit came in between, everything is loaded and decided again, so that
 * the answer is about the state as it is now. Every decision is written here.
 */
export async function decideAndCommit<T>(
  store: Store,
  attempt: () => Promise<DecisionAttempt<T>>,
): Promise<T | Refusal> {
  const mutex = mutexOf.get(store) ?? createKeyedMutex();
  mutexOf.set(store, mutex);
  let release: Release | undefined;
  try {
    for (let count = 0; count < attemptsMax; count++) {
      const tried = await attempt();
      if ("asWanted" in tried) return tried.asWanted;
      if (!("step" in tried)) return tried;
      const outcome = await store.commit(tried.step);
      if ("ok" in outcome) return tried.result;
      if (outcome.conflict === "held") return outcome.refusal;
      const refusal = refusalOf(outcome, tried.step);
      if (refusal !== undefined) return refusal;
      // At most one lock per caller, so that there is no deadlock.
      release ??= await mutex.acquire(outcome.what);
    }
    return refuse("store_unavailable", "Too many people are deciding this right now. Try again.", {
      retryAfterSeconds: 1,
    });
  } finally {
    release?.();
  }
}

/** Undefined: decide again. That includes a policy at its usage limit, because another one may govern now. */
function refusalOf(
  outcome: Exclude<CommitResult, { ok: true } | { conflict: "held" }>,
  step: Step,
): Refusal | undefined {
  if (outcome.conflict === "version") return undefined;
  // Requested again meanwhile: the new request is read, and this decision ends it.
  const isNewRequest = step.expects.some((one) => one.kind === "request" && one.version === 0);
  if (outcome.conflict === "unique" && outcome.what.startsWith("open:") && !isNewRequest) return undefined;
  const [kind, ...rest] = outcome.what.split(":");
  if (outcome.conflict === "unique") {
    return kind === "open" || kind === "extension"
      ? refuse("duplicate_request", `The same access is already asked for in ${outcome.owner}.`, {
          existing: outcome.owner,
        })
      : refuse("name_taken", `"${rest.join(":")}" is already in use by ${outcome.owner}.`);
  }
  const at = step.counters[0]?.at;
  const retryAfterSeconds =
    outcome.retryAt === undefined || at === undefined
      ? 60
      : Math.max(1, Math.ceil((outcome.retryAt - at) / 1000));
  switch (kind) {
    case "break-glass":
      return breakGlassExhausted();
    case "link-asked":
      return refuse("rate_limited", "Administrators have been asked already. Try again later.", {
        retryAfterSeconds,
      });
    case "pending":
      return refuse("limit_reached", "You have too many undecided requests; wait for one or cancel one.", {
        retryAfterSeconds,
      });
    case "active":
      return refuse("limit_reached", "You have reached your limit of active access. End some of it first.", {
        retryAfterSeconds,
      });
    default:
      return undefined;
  }
}

/** A step that only writes audit records, for example about refusals and exports. */
export function recordOnly(audit: readonly AuditEntry[]): Step {
  return { expects: [], writes: [], unique: [], counters: [], audit, effects: [] };
}

export function breakGlassExhausted(): Refusal {
  return refuse(
    "break_glass_limit",
    "You have used break-glass as often as the configuration allows for now.",
  );
}

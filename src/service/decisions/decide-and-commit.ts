import type { AuditEntry } from "../../core/audit/audit-record.ts";
import { refuse, type Refusal } from "../../core/values/refusals.ts";
import type { CommitResult, Step, Store } from "../ports/store.ts";
import { createKeyedMutex, type Release, type KeyedMutex } from "../async/keyed-mutex.ts";

/** How often a decision is made afresh when others commit first. More means something is wrong, and says so (503). */
const attemptsMax = 12;

/** Whoever loses a record to somebody else's commit queues for it from then on, so that a crowd is served to the last. */
const mutexOf = new WeakMap<Store, KeyedMutex>();

/**
 * One try: the step to commit and what to answer if that succeeds; what to answer where everything is as wanted already;
 * or the refusal. That nothing is to be written has a word of its own, so that no step can be forgotten.
 */
export type DecisionAttempt<T> =
  | { readonly step: Step; readonly result: T }
  | { readonly asWanted: T }
  | Refusal;

/**
 * Load → decide → evolve → commit. When somebody else's commit came in between, everything is read and decided afresh,
 * so that the answer is honest about what is true now. Every write of the product passes here.
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
      // One turn at a time: nobody who holds one waits for another.
      release ??= await mutex.acquire(outcome.what);
    }
    return refuse("store_unavailable", "Too many people decide this at the same moment; try again.", {
      retryAfterSeconds: 1,
    });
  } finally {
    release?.();
  }
}

/** Undefined: decide afresh. A spent policy is such a case, for another may govern instead. */
function refusalOf(
  outcome: Exclude<CommitResult, { ok: true } | { conflict: "held" }>,
  step: Step,
): Refusal | undefined {
  if (outcome.conflict === "version") return undefined;
  // Asked once more while this was decided: what is there now is read, and ends with this decision.
  const isAsked = step.expects.some((one) => one.kind === "request" && one.version === 0);
  if (outcome.conflict === "unique" && outcome.what.startsWith("open:") && !isAsked) return undefined;
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
      return refuse("rate_limited", "Administrators have been asked as often as makes sense for now.", {
        retryAfterSeconds,
      });
    case "pending":
      return refuse("limit_reached", "You have too many undecided requests; wait for one or cancel one.", {
        retryAfterSeconds,
      });
    case "active":
      return refuse(
        "limit_reached",
        "You hold too much access at the same time; complete some of it first.",
        { retryAfterSeconds },
      );
    default:
      return undefined;
  }
}

/** A step that only records: refusals, exports and the like. */
export function recordOnly(audit: readonly AuditEntry[]): Step {
  return { expects: [], writes: [], unique: [], counters: [], audit, effects: [] };
}

export function breakGlassExhausted(): Refusal {
  return refuse(
    "break_glass_limit",
    "You have used break-glass as often as the configuration allows for now.",
  );
}

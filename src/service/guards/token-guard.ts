import {
  holdsTokenAnywhere,
  tokensIn,
  withoutTokens,
  type TokenFound,
} from "../../core/values/mask-tokens.ts";
import { refuse, type Refusal } from "../../core/values/refusals.ts";
import type { ReportLeak } from "./redact-tokens.ts";
import type { Step, Store, UniqueChange, Write } from "../ports/store.ts";

/**
 * What becomes of a token in a write. `mask`: people's words and what is derived from them. `refuse`: a rule, a name or a
 * key, which masked would be another one. `refuse new`: the same, but what an earlier version has stored can still be
 * changed and ended; then it is masked.
 */
type Treatment = "mask" | "refuse" | "refuse new";

/** Closed: a new kind of write does not compile before it is decided what a token in it means. */
const treatments: { readonly [Kind in Write["kind"]]: Treatment } = {
  request: "mask",
  grant: "mask",
  credentialFirstUsed: "mask",
  identity: "refuse new",
  key: "refuse new",
  policy: "refuse",
  policyDeleted: "refuse",
  rules: "refuse",
  lockdown: "mask",
  clockMark: "mask",
  clockLowered: "mask",
  effectLeased: "mask",
  effectSettled: "mask",
  effectReleased: "mask",
  leasesEnded: "mask",
  deliveryAdded: "mask",
  deliveryUpdated: "mask",
  address: "mask",
  addressGone: "mask",
  cursor: "refuse",
  cursorDropped: "refuse",
};

/**
 * The one place that sees everything that is stored. The doors refuse and mask tokens in words of their own; this is for
 * the field that a door forgets: no token is written, and every one that was found is ended.
 */
export function guardedFromTokens(
  store: Store,
  report: () => ReportLeak,
  onFault: (fault: unknown) => void,
): Store {
  const end = async (found: readonly TokenFound[]): Promise<void> => {
    for (const { text } of found) await report()(text);
  };
  return {
    ...store,
    async commit(step) {
      if (!holdsTokenAnywhere(step)) return store.commit(step);
      const refused = refusedIn(step);
      try {
        return refused.length > 0
          ? { conflict: "held", refusal: refusalOf(refused) }
          : await store.commit(masked(step));
      } finally {
        // After the commit, which may be about the very access that the token opens.
        end(tokensIn(step)).catch(onFault);
      }
    },
  };
}

function refusedIn(step: Step): readonly TokenFound[] {
  const created = new Set<string>(step.expects.filter(({ version }) => version === 0).map(({ id }) => id));
  const writes = step.writes.flatMap((write) => {
    if (write.kind === "request") return tokensIn(write.value.scopes, ["scopes"]);
    const treatment = treatments[write.kind];
    const isNew = (write.kind === "identity" || write.kind === "key") && created.has(write.value.id);
    if (treatment === "mask" || (treatment === "refuse new" && !isNew)) return [];
    return tokensIn("value" in write ? write.value : write);
  });
  const names = step.unique.filter(isTaken).flatMap((change) => tokensIn(change.take, ["name"]));
  const once =
    step.idempotencyRecord === undefined
      ? []
      : tokensIn(step.idempotencyRecord.idempotencyKey, ["Idempotency-Key"]);
  return [...writes, ...names, ...once];
}

function isTaken(change: UniqueChange): change is Extract<UniqueChange, { take: string }> {
  return "take" in change;
}

function masked(step: Step): Step {
  const unique = step.unique.map((change) =>
    // A name that is given up stays as it was taken, or it would stay taken.
    "release" in change ? { ...withoutTokens(change), release: change.release } : withoutTokens(change),
  );
  return { ...withoutTokens(step), unique };
}

function refusalOf(found: readonly TokenFound[]): Refusal {
  const errors = found.map(({ path }) => ({ path: path.join("."), message: tokenNotAllowed }));
  return refuse("invalid_body", "A token stands where it would be stored; it was ended. Leave it out.", {
    errors,
  });
}

/** What is said at a field that holds a token. */
export const tokenNotAllowed = "holds a token, which was ended: leave it out";

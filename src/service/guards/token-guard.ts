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
 * How a token in a write is handled. `mask`: free text and what is derived from it. `refuse`: a rule, a name or a key,
 * which would become another one if masked. `refuse new`: the same, but records that an earlier version has stored can
 * still be changed and ended; then the token is masked.
 */
type Treatment = "mask" | "refuse" | "refuse new";

/** Closed: a new kind of write does not compile until its treatment is decided. */
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
 * Sees everything that is stored. Every surface refuses or masks tokens itself; this guard is for the field that a
 * surface forgets. No token is written, and the access of every token found is ended.
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
        // After the commit, because it may change the access that the token belongs to.
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
  const inKey =
    step.idempotencyRecord === undefined
      ? []
      : tokensIn(step.idempotencyRecord.idempotencyKey, ["Idempotency-Key"]);
  return [...writes, ...names, ...inKey];
}

function isTaken(change: UniqueChange): change is Extract<UniqueChange, { take: string }> {
  return "take" in change;
}

function masked(step: Step): Step {
  const unique = step.unique.map((change) =>
    // A released name must equal the taken one, or it would stay taken.
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

/** The message at a field that contains a token. */
export const tokenNotAllowed = "holds a token, which was ended: leave it out";

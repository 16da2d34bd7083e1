import { parseId } from "../../core/values/ids.ts";
import type { CatalogEntry } from "../../core/policy/policy.ts";
import { isRefusal, type Refusal } from "../../core/values/refusals.ts";
import { parseRequestedDuration } from "../ports/request-input.ts";
import { lacksRole, type Caller } from "../ports/caller.ts";
import { createConcurrencyLimit } from "../requests/concurrency-limit.ts";
import type { EvaluationService } from "../requests/evaluation-service.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import type { Page, PageQuery } from "../ports/store.ts";
import type { ListQuery, RequestQueries } from "../requests/request-queries.ts";
import type { RequestView } from "../views/request-view.ts";

/** One entry of "who has what now". */
export interface ActiveAccess {
  readonly request: RequestView;
  readonly name: string;
  readonly email: string | null;
}

/** A catalog entry that the caller may request, and what would happen. */
export interface Offer extends CatalogEntry {
  /** `AUTO_APPROVED`: would be granted at once, by the policies in force. */
  readonly outcome: "AUTO_APPROVED" | "NEEDS_APPROVAL";
}

export interface ActiveAccessService {
  /** Live access, newest first: the caller's own, all of it for auditors and administrators. */
  held(
    caller: Caller,
    query: Pick<ListQuery, "identityId" | "scope">,
    page: PageQuery,
  ): Promise<Page<ActiveAccess> | Refusal>;
  /** The catalog's entries that no policy refuses this caller for `duration`. */
  catalog(caller: Caller, duration: string): Promise<readonly Offer[] | Refusal>;
}

export function createActiveAccessService(
  context: ServiceContext,
  requestQueries: RequestQueries,
  evaluation: EvaluationService,
): ActiveAccessService {
  const running = createConcurrencyLimit(catalogsPerKeyMax);
  return {
    async held(caller, query, page) {
      const missing = lacksRole(caller, "requester", "approver", "auditor", "admin");
      if (missing !== undefined) return missing;
      const found = await requestQueries.list(caller, { ...query, status: "ACTIVE" }, page);
      if (isRefusal(found)) return found;
      const rows = found.rows.map((request) => {
        const id = parseId("identity", request.identityId);
        const person = id && found.directory.identity(id);
        return { request, name: person?.name ?? request.identityId, email: person?.email ?? null };
      });
      return { rows, next: found.next };
    },
    async catalog(caller, duration) {
      const missing = lacksRole(caller, "requester");
      if (missing !== undefined) return missing;
      const durationMs = parseRequestedDuration(duration);
      if (isRefusal(durationMs)) return durationMs;
      return running(caller, () => offersTo(caller, duration));
    },
  };

  async function offersTo(caller: Caller, duration: string): Promise<readonly Offer[] | Refusal> {
    const rules = await context.rulebook();
    const { catalog } = rules.book.rules;
    const subject = await context.store.identity(caller.identity.id);
    const known = { rules, ...(subject !== undefined && { subject }) };
    const offers: Offer[] = [];
    for (const entry of catalog) {
      await context.slices.spend(entryCost);
      const input = {
        identityId: caller.identity.id,
        reason: "catalog",
        scopes: entry.scopes,
        duration,
        ticket: "catalog",
      };
      const evaluated = await evaluation.foresee(caller, input, known);
      if (isRefusal(evaluated)) return evaluated;
      const { outcome } = evaluated;
      if (outcome === "AUTO_APPROVED" || outcome === "NEEDS_APPROVAL") offers.push({ ...entry, outcome });
    }
    return offers;
  }
}

/** Cost of reading who would decide about one entry, in about microseconds. */
const entryCost = 300;
/** Catalogs evaluated for one key at the same time. */
const catalogsPerKeyMax = 2;

import type { CatalogEntry } from "../../core/policy/policy.ts";
import { parseScope } from "../../core/values/scopes.ts";
import { hourMs } from "../../core/values/time.ts";
import type { Caller } from "../ports/caller.ts";
import { assess, type ServiceContext } from "../decisions/load-facts.ts";
import type { IndexedRulebook } from "../decisions/rulebook-reader.ts";

/** What a person may pick from while they fill in a form. Fast enough to be called at every keystroke. */
export interface CatalogSearchService {
  /** At most `max` catalog entries that contain all typed words and that no policy denies this caller. */
  search(caller: Caller, typed: string, max: number): Promise<readonly CatalogEntry[]>;
  /** The entries with these names; removed ones are left out. */
  named(names: readonly string[]): Promise<readonly CatalogEntry[]>;
  /**
   * How long people usually took to decide about the first of these scopes, in milliseconds. This is the median of the
   * latest decisions; undefined when there are too few.
   */
  usualAnswerMs(scopes: readonly string[]): Promise<number | undefined>;
}

/** How many earlier requests are read, and how many decisions a median needs. */
const lookBackMax = 20;
const decisionsMin = 3;

export function createCatalogSearchService(context: ServiceContext): CatalogSearchService {
  return {
    async search(caller, typed, max) {
      const rules = await context.rulebook();
      const { catalog } = rules.book.rules;
      const found: CatalogEntry[] = [];
      for (const entry of bestFirst(catalog, wordsOf(typed))) {
        if (found.length >= max) break;
        await context.slices.spend(entryCost);
        if (!(await isDenied(context, rules, caller, entry))) found.push(entry);
      }
      return found;
    },
    async named(names) {
      const { catalog } = (await context.rulebook()).book.rules;
      return catalog.filter((entry) => names.includes(entry.name));
    },
    async usualAnswerMs([first]) {
      const scope = first === undefined ? undefined : parseScope(first);
      if (scope === undefined) return undefined;
      const filter = { now: context.runtime.now(), scope };
      const { rows } = await context.store.requests(filter, { limit: lookBackMax });
      const times = rows.flatMap(({ request: { value } }) =>
        value.votes.length === 0 || value.decidedAt === null ? [] : [value.decidedAt - value.requestedAt],
      );
      return times.length < decisionsMin ? undefined : times.toSorted((a, b) => a - b)[times.length >> 1];
    },
  };
}

/** Cost of reading what one entry is evaluated by, in about microseconds. */
const entryCost = 50;

function wordsOf(typed: string): readonly string[] {
  return typed
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "")
    .slice(0, wordsMax);
}

const wordsMax = 8;

/** Entries whose name begins with what was typed come first; otherwise in the order of the file. */
function bestFirst(catalog: readonly CatalogEntry[], words: readonly string[]): readonly CatalogEntry[] {
  const fitting = catalog.filter((entry) => {
    const text = [entry.name, entry.description ?? "", ...entry.scopes].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const [first] = words;
  if (first === undefined) return fitting;
  const begins = (entry: CatalogEntry): boolean => entry.name.toLowerCase().startsWith(first);
  return [...fitting.filter(begins), ...fitting.filter((entry) => !begins(entry))];
}

/** Evaluated for one hour with placeholders, because duration, reason and ticket are not typed yet. */
async function isDenied(
  context: ServiceContext,
  rules: IndexedRulebook,
  caller: Caller,
  entry: CatalogEntry,
): Promise<boolean> {
  const { assessment } = await assess(context, rules, entry.scopes, {
    subject: caller.identity,
    reason: "catalog",
    durationMs: hourMs,
    submittedAt: context.runtime.now(),
    ticket: "catalog",
  });
  return assessment.selections.some(({ selection }) => selection.kind === "denied");
}

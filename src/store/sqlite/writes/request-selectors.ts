import type { AccessRequest } from "../../../core/access/access-request.ts";
import { selectorKey, type Selector } from "../../../core/values/identity.ts";
import type { Db } from "../tables/database.ts";
import { placeholdersFor, type NewRow } from "../tables/placeholders.ts";
import { requestSelectors } from "../tables/request-selectors.ts";

/** Adds the selectors a request names. None is ever removed: stages are only added. */
export function prepareRequestSelectorWrites(db: Db) {
  const insert = db
    .insert(requestSelectors)
    .values(placeholdersFor(requestSelectors))
    .onConflictDoNothing()
    .prepare();
  return {
    add: (request: AccessRequest, requestOrd: number, status: string): void => {
      for (const { part, selectors } of selectorsOf(request)) {
        for (const selector of new Set(selectors.map(selectorKey))) {
          insert.run({ selector, requestOrd, part, status } satisfies NewRow<typeof requestSelectors>);
        }
      }
    },
  };
}

function selectorsOf(request: AccessRequest): readonly {
  readonly part: "stage" | "review";
  readonly selectors: readonly Selector[];
}[] {
  const stages = request.requirement.demands.flatMap((demand) => demand.stages);
  return [
    { part: "stage", selectors: stages.flatMap((stage) => [...stage.approvers, ...stage.escalateTo.flat()]) },
    { part: "review", selectors: request.breakGlass?.review.by ?? [] },
  ];
}

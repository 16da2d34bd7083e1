import type { Actor } from "../../core/access/access-request.ts";
import type { IdentityId } from "../../core/values/ids.ts";
import { peopleBehind } from "../../core/values/identity-origins.ts";
import type { Directory, Identity, Selector } from "../../core/values/identity.ts";
import { actorOf, type Caller } from "../ports/caller.ts";
import type { Expectation } from "../ports/store.ts";
import type { Freshness } from "../ports/user-groups.ts";
import type { LoadedCase } from "./load-case.ts";
import { loadPeople, type ServiceContext } from "./load-facts.ts";
import { expectPeople, idsIn, selectorsIn, type LoadedPeople } from "./loaded-people.ts";

/** Who decides, and everyone the request is about. */
export interface DecisionContext {
  readonly facts: {
    readonly person: Identity;
    readonly by: Actor;
    readonly behind: readonly IdentityId[];
    readonly directory: Directory;
  };
  readonly people: LoadedPeople;
  readonly expects: readonly Expectation[];
}

export interface DecisionContextQuery {
  readonly also?: readonly Selector[];
  /** `cached` where the requester decides, because no group membership counts then. */
  readonly freshness?: Freshness;
}

/** Reads who decides and everyone the request is about. Authority is checked at the moment of the decision. */
export async function loadDecisionContext(
  context: ServiceContext,
  caller: Caller,
  { accessCase: { request }, rules }: LoadedCase,
  { also = [], freshness = "verify" }: DecisionContextQuery = {},
): Promise<DecisionContext> {
  const people = await loadPeople(
    context,
    [...idsIn(request), caller.identity.id],
    [...selectorsIn(request), ...also],
    { freshness, rules },
  );
  const person = people.directory.identity(caller.identity.id) ?? caller.identity;
  return {
    facts: {
      person,
      by: actorOf(caller),
      behind: peopleBehind(person, caller.via, caller.keyMadeBy ?? []),
      directory: people.directory,
    },
    people,
    expects: expectPeople(people, [caller.identity.id]),
  };
}

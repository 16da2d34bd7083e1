import { assertNever } from "../values/assert.ts";
import { leavesIn, type PlacedConditions, type PlacedLeaf } from "./condition-tree.ts";
import { isTextCondition, type TextCondition, type TextConditionType } from "./conditions.ts";
import { parseId } from "../values/ids.ts";
import { parseEmail, type Selector } from "../values/identity.ts";
import { namesByLook, variantHint, type KnownNames, type NamesByLook } from "./known-names.ts";
import type { PlacedProblem } from "../values/refusals.ts";

/** How a value is compared. MATCHES is not analysed. */
type Comparison = "whole" | "start" | "end" | "part";

interface Value {
  readonly path: readonly string[];
  readonly text: string;
  readonly compared: Comparison;
  /** `GROUP EQUALS contractor`. */
  readonly description: string;
}

/** Warns about conditions with names that are unknown or impossible: they never make a difference. */
export function nameWarnings(
  places: readonly PlacedConditions[],
  known: KnownNames,
): readonly PlacedProblem[] {
  const looks = {
    GROUP: namesByLook(known.groups),
    IDENTITY: namesByLook(known.identities),
    ACTION: namesByLook(known.actions),
    RESOURCE: namesByLook(known.resources),
  };
  return places.flatMap(leavesIn).flatMap((placed) =>
    valuesOf(placed).flatMap(({ type, value }) => {
      const problem = problemWith(type, value, known, looks);
      return problem === undefined ? [] : [{ path: value.path, message: `${value.description}: ${problem}` }];
    }),
  );
}

/** The people {@link nameWarnings} looks up, by id or address. */
export function peopleNamed(places: readonly PlacedConditions[]): readonly Selector[] {
  return places.flatMap(leavesIn).flatMap((placed) =>
    valuesOf(placed).flatMap(({ type, value: { text, compared } }): readonly Selector[] => {
      if (type !== "IDENTITY" || compared !== "whole") return [];
      const email = parseEmail(text);
      const id = parseId("identity", text);
      return [
        ...(email === undefined ? [] : [{ kind: "email", email } as const]),
        ...(id === undefined ? [] : [{ kind: "identity", id } as const]),
      ];
    }),
  );
}

function valuesOf({ path, leaf }: PlacedLeaf): readonly { type: TextConditionType; value: Value }[] {
  if (!isTextCondition(leaf)) return [];
  const compared = comparisonOf(leaf.operator);
  if (compared === undefined) return [];
  const { type, operator, value } = leaf;
  const values = typeof value === "string" ? [value] : value;
  return values.map((text, index) => ({
    type,
    value: {
      path: typeof value === "string" ? [...path, "value"] : [...path, "value", String(index)],
      text,
      compared,
      description: `${type} ${operator} ${text}`,
    },
  }));
}

function comparisonOf(operator: TextCondition["operator"]): Comparison | undefined {
  switch (operator) {
    case "EQUALS":
    case "NOT_EQUALS":
    case "IN":
    case "NOT_IN":
      return "whole";
    case "STARTS_WITH":
      return "start";
    case "ENDS_WITH":
      return "end";
    case "CONTAINS":
      return "part";
    case "MATCHES":
      return undefined;
    default:
      return assertNever(operator);
  }
}

type Looks = Readonly<Record<"GROUP" | "IDENTITY" | "ACTION" | "RESOURCE", NamesByLook>>;

function problemWith(
  type: TextConditionType,
  value: Value,
  known: KnownNames,
  looks: Looks,
): string | undefined {
  switch (type) {
    case "GROUP":
      return matchesAny(value, known.groups)
        ? undefined
        : `nobody is in such a group${variantHint(value.text, looks.GROUP)}`;
    case "IDENTITY":
      // Parts of names are not checked: they may match people who are added later.
      return value.compared !== "whole" || isPerson(value.text, known)
        ? undefined
        : `there is nobody by this id or address${variantHint(value.text, looks.IDENTITY)}`;
    case "KIND":
      return matchesAny(value, kinds) ? undefined : "a kind is HUMAN or SERVICE";
    case "ACTION":
      return actionProblem(value, known, looks.ACTION);
    case "RESOURCE":
      return resourceProblem(value, known, looks.RESOURCE);
    case "SCOPE":
      return scopeProblem(value);
    case "REASON":
    case "TICKET":
      return undefined;
    default:
      return assertNever(type);
  }
}

const kinds: ReadonlySet<string> = new Set(["HUMAN", "SERVICE"]);

function matchesAny({ text, compared }: Value, names: ReadonlySet<string>): boolean {
  if (compared === "whole") return names.has(text);
  return [...names].some((name) =>
    compared === "start"
      ? name.startsWith(text)
      : compared === "end"
        ? name.endsWith(text)
        : name.includes(text),
  );
}

function isPerson(text: string, { identities }: KnownNames): boolean {
  return identities.has(text) || (text.includes("@") && identities.has(text.toLowerCase()));
}

const actionPattern: Readonly<Record<Comparison, RegExp>> = {
  whole: /^[a-z][a-z0-9_.-]{0,31}$/,
  start: /^[a-z][a-z0-9_.-]{0,31}$/,
  end: /^[a-z0-9_.-]{1,32}$/,
  part: /^[a-z0-9_.-]{1,32}$/,
};
const resourcePattern = /^[A-Za-z0-9._:/@-]{1,128}$/;

function actionProblem(value: Value, known: KnownNames, looks: NamesByLook): string | undefined {
  const { text, compared } = value;
  if (text.includes(":")) {
    return "an action has no colon; what follows the first colon of a scope is its resource";
  }
  if (!actionPattern[compared].test(text)) {
    return `no action can be called that: lower-case letters, digits and . _ -, at most 32${variantHint(text, looks)}`;
  }
  return compared === "whole" && !known.actions.has(text) ? variantProblem(text, looks) : undefined;
}

function resourceProblem(value: Value, known: KnownNames, looks: NamesByLook): string | undefined {
  const { text, compared } = value;
  if (!resourcePattern.test(text)) {
    return text.includes("*")
      ? "resources are compared exactly and there are no wildcards; use STARTS_WITH or MATCHES"
      : "no resource can be called that: letters, digits and . _ : / @ -, at most 128";
  }
  const action = compared === "whole" || compared === "start" ? actionWithin(text, known) : undefined;
  if (action !== undefined) {
    return `it begins with the action "${action}", and a resource is what follows it; use SCOPE, or ACTION beside RESOURCE`;
  }
  return compared === "whole" && !known.resources.has(text) ? variantProblem(text, looks) : undefined;
}

/** Common actions, with which hardly any resource begins. Used beside those of the catalog and the connectors. */
const usualActions: ReadonlySet<string> = new Set([
  "read",
  "write",
  "admin",
  "delete",
  "create",
  "update",
  "execute",
  "deploy",
  "manage",
  "connect",
]);

function actionWithin(text: string, { actions, resources }: KnownNames): string | undefined {
  const colon = text.indexOf(":");
  if (colon === -1) return undefined;
  const first = text.slice(0, colon);
  const isAction = actions.has(first) || usualActions.has(first);
  return isAction && ![...resources].some((resource) => resource.startsWith(`${first}:`)) ? first : undefined;
}

function scopeProblem({ text, compared }: Value): string | undefined {
  const colon = text.indexOf(":");
  if (compared === "whole" || (compared === "start" && colon !== -1)) {
    if (colon === -1) return "a scope is action:resource";
    if (!actionPattern.whole.test(text.slice(0, colon)))
      return "no scope has such an action before its colon";
    const resource = text.slice(colon + 1);
    const isFine = resourcePattern.test(resource) || (compared === "start" && resource === "");
    return isFine ? undefined : "no scope has such a resource after its colon";
  }
  if (compared === "start" && !actionPattern.start.test(text)) return "no scope begins like that";
  return resourcePattern.test(text) ? undefined : "no scope holds such characters";
}

function variantProblem(text: string, looks: NamesByLook): string | undefined {
  const hint = variantHint(text, looks);
  return hint === "" ? undefined : hint.slice("; ".length);
}

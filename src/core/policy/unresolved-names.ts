import type { IdentityId } from "../values/ids.ts";
import { namesByLook, variantHint } from "./known-names.ts";
import { formatSelector, isActive, type Identity, type Selector } from "../values/identity.ts";
import type { ApprovalRule, Policy, Rules } from "./policy.ts";
import type { PlacedProblem } from "../values/refusals.ts";

/** Rules that name people, in the order of the file. */
export interface SelectorRules {
  readonly policies: readonly Pick<Policy, "enabled" | "effect">[];
  readonly rules: Rules;
}

interface SelectorUse {
  readonly path: readonly string[];
  readonly selector: Selector;
}

/** The people each selector matches, by its text from {@link formatSelector}. */
type SelectorMembers = ReadonlyMap<string, ReadonlySet<IdentityId>>;

/**
 * Warns about selectors that match nobody: a typing mistake in a group's name makes a policy that nobody can decide,
 * or an emergency that nobody may use. Not an error, because people may be added later. `otherGroups`: further groups
 * that exist, for hints.
 */
export function unresolvedSelectors(
  content: SelectorRules,
  people: readonly Identity[],
  otherGroups: readonly string[] = [],
): readonly PlacedProblem[] {
  const { trustSlackUserGroups } = content.rules;
  const members = membersBySelector(people);
  const groups = namesByLook([...people.flatMap((person) => person.groups), ...otherGroups]);
  const unresolved = selectorUsesIn(content).flatMap(({ path, selector }) => {
    const reason = whyEmpty(selector, members, trustSlackUserGroups);
    if (reason === undefined) return [];
    const hint = selector.kind === "group" ? variantHint(selector.group, groups) : "";
    return [{ path, message: `${formatSelector(selector)} means nobody: ${reason}${hint}` }];
  });
  return [...unresolved, ...tooFewPerStage(content, members), ...tooFewOverall(content, members)];
}

/** Warns about channels that are not configured, so that nobody sees what is posted there. */
export function unresolvedChannels(
  content: SelectorRules,
  isConfigured: (channel: string) => boolean,
): readonly PlacedProblem[] {
  const named = approvalsIn(content).map(({ path, approval }) => ({
    path: [...path, "channels"],
    channels: approval.channels,
  }));
  const alerts = { path: ["breakGlass", "notify"], channels: content.rules.breakGlass.notify };
  return [...named, alerts].flatMap(({ path, channels }) =>
    channels.flatMap((channel, index) =>
      isConfigured(channel)
        ? []
        : [{ path: [...path, String(index)], message: `${channel} is told nothing: that is not configured` }],
    ),
  );
}

/** The selectors that {@link unresolvedSelectors} looks up, without duplicates. */
export function selectorsNamed(content: SelectorRules): readonly Selector[] {
  const named = selectorUsesIn(content).flatMap(({ selector }) =>
    isInDirectory(selector) ? [selector] : [],
  );
  return [...new Map(named.map((selector) => [formatSelector(selector), selector])).values()];
}

/** Whether our records alone determine the members. */
function isInDirectory({ kind }: Selector): boolean {
  return kind !== "manager" && kind !== "slack-usergroup";
}

function membersBySelector(people: readonly Identity[]): SelectorMembers {
  const members = new Map<string, Set<IdentityId>>();
  const addMember = (selector: Selector, id: IdentityId): void => {
    const text = formatSelector(selector);
    members.set(text, (members.get(text) ?? new Set()).add(id));
  };
  for (const person of people) {
    if (person.kind !== "HUMAN" || !isActive(person)) continue;
    const { id, email, groups } = person;
    addMember({ kind: "identity", id }, id);
    if (email !== undefined) addMember({ kind: "email", email: email.toLowerCase() }, id);
    for (const group of groups) addMember({ kind: "group", group }, id);
  }
  return members;
}

function whyEmpty(selector: Selector, members: SelectorMembers, isSlackTrusted: boolean): string | undefined {
  if (selector.kind === "slack-usergroup") {
    return isSlackTrusted ? undefined : "slack.trustUserGroups is not true";
  }
  if (!isInDirectory(selector) || members.has(formatSelector(selector))) return undefined;
  return selector.kind === "group"
    ? "no active person is in this group"
    : "there is no active person by that name";
}

/** Stages that require more approvals than they have approvers. A manager counts as one person. */
function tooFewPerStage(content: SelectorRules, members: SelectorMembers): readonly PlacedProblem[] {
  return stagesIn(content).flatMap(({ path, stage }) => {
    if (stage.approvers.some(({ kind }) => kind === "slack-usergroup")) return [];
    const managers = stage.approvers.some(({ kind }) => kind === "manager") ? 1 : 0;
    const count = managers + countUpTo(stage.required, stage.approvers.filter(isInDirectory), members);
    // A stage without anybody is reported at each of its selectors.
    if (count === 0 || count >= stage.required) return [];
    return [
      {
        path: [...path, "required"],
        message: `${stage.required} approvals are wanted, and there ${count === 1 ? "is only 1 approver" : `are only ${count} approvers`}`,
      },
    ];
  });
}

/** Policies that require more approvals over all stages than they can ask people. Each person counts once. */
function tooFewOverall(content: SelectorRules, members: SelectorMembers): readonly PlacedProblem[] {
  return approvalsIn(content).flatMap(({ path, approval: { stages } }) => {
    const selectors = stages.flatMap((stage) => [...stage.approvers, ...stage.escalateTo.flat()]);
    if (stages.length < 2 || selectors.some(({ kind }) => kind === "slack-usergroup")) return [];
    const required = stages.reduce((sum, stage) => sum + stage.required, 0);
    const managers = selectors.some(({ kind }) => kind === "manager") ? 1 : 0;
    const count = managers + countUpTo(required, selectors.filter(isInDirectory), members);
    if (count === 0 || count >= required) return [];
    const message = `${required} approvals are wanted over all stages, each person counts once, and there ${count === 1 ? "is only 1 person" : `are only ${count} people`} to ask`;
    return [{ path: [...path, "stages"], message }];
  });
}

/** Counts different people up to `enough`: groups may be large, and policies many. */
function countUpTo(enough: number, selectors: readonly Selector[], members: SelectorMembers): number {
  const found = new Set<IdentityId>();
  for (const selector of selectors) {
    for (const id of members.get(formatSelector(selector)) ?? []) {
      if (found.add(id).size >= enough) return found.size;
    }
  }
  return found.size;
}

function selectorUsesIn(content: SelectorRules): readonly SelectorUse[] {
  const { breakGlass, chatRoles } = content.rules;
  const isUsed = breakGlass.allowed.length > 0;
  return [
    ...selectorUses(["roles", "admin"], chatRoles.admin),
    ...selectorUses(["roles", "auditor"], chatRoles.auditor),
    ...stagesIn(content).flatMap(({ path, stage }) => [
      ...selectorUses([...path, "approvers"], stage.approvers),
      ...stage.escalateTo.flatMap((list, level) =>
        selectorUses([...path, "escalateTo", String(level)], list),
      ),
    ]),
    ...selectorUses(["breakGlass", "allowed"], breakGlass.allowed),
    ...(isUsed ? selectorUses(["breakGlass", "review", "by"], breakGlass.review.by) : []),
  ];
}

function selectorUses(path: readonly string[], selectors: readonly Selector[]): readonly SelectorUse[] {
  return selectors.map((selector, index) => ({ path: [...path, String(index)], selector }));
}

function stagesIn(content: SelectorRules) {
  return approvalsIn(content).flatMap(({ path, approval }) =>
    approval.stages.map((stage, index) => ({ path: [...path, "stages", String(index)], stage })),
  );
}

interface PlacedApproval {
  readonly path: readonly string[];
  readonly approval: ApprovalRule;
}

/** The approval rules of every policy in force, the default last. */
function approvalsIn({ policies, rules: { defaultPolicy } }: SelectorRules): readonly PlacedApproval[] {
  return [
    ...policies.map((policy, index) => ({ policy, path: ["policies", String(index)] })),
    ...(defaultPolicy === undefined ? [] : [{ policy: defaultPolicy, path: ["default"] }]),
  ].flatMap(({ policy: { enabled, effect }, path }) =>
    enabled && effect.kind === "approval" ? [{ path: [...path, "approval"], approval: effect.approval }] : [],
  );
}

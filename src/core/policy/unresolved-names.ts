import type { IdentityId } from "../values/ids.ts";
import { namesByLook, variantHint } from "./known-names.ts";
import { formatSelector, isActive, type Identity, type Selector } from "../values/identity.ts";
import type { ApprovalRule, Policy, Rules } from "./policy.ts";
import type { PlacedProblem } from "../values/refusals.ts";

/** Rules that name people, in the order of the file they were written in. */
export interface SelectorRules {
  readonly policies: readonly Pick<Policy, "enabled" | "effect">[];
  readonly rules: Rules;
}

interface SelectorUse {
  readonly path: readonly string[];
  readonly selector: Selector;
}

/** Who may decide, by the selectors that mean them as {@link formatSelector} writes them. */
type SelectorMembers = ReadonlyMap<string, ReadonlySet<IdentityId>>;

/**
 * Where the rules count on people who are not among these: a slip in a group's name makes a policy that nobody can
 * decide, and an emergency that nobody may use. No error, for people may come at any time. `otherGroups`: names of groups
 * that others are in, for hints.
 */
export function unresolvedSelectors(
  content: SelectorRules,
  people: readonly Identity[],
  otherGroups: readonly string[] = [],
): readonly PlacedProblem[] {
  const { trustSlackUserGroups } = content.rules;
  const members = membersBySelector(people);
  const groups = namesByLook([...people.flatMap((one) => one.groups), ...otherGroups]);
  const unresolved = selectorUsesIn(content).flatMap(({ path, selector }) => {
    const reason = whyEmpty(selector, members, trustSlackUserGroups);
    if (reason === undefined) return [];
    const hint = selector.kind === "group" ? variantHint(selector.group, groups) : "";
    return [{ path, message: `${formatSelector(selector)} means nobody: ${reason}${hint}` }];
  });
  return [...unresolved, ...tooFew(content, members), ...tooFewInAll(content, members)];
}

/** Channels that lead nowhere: what is posted there is never seen. */
export function unresolvedChannels(
  content: SelectorRules,
  isThere: (channel: string) => boolean,
): readonly PlacedProblem[] {
  const named = approvalsIn(content).map(({ path, approval }) => ({
    path: [...path, "channels"],
    channels: approval.channels,
  }));
  const alerts = { path: ["breakGlass", "notify"], channels: content.rules.breakGlass.notify };
  return [...named, alerts].flatMap(({ path, channels }) =>
    channels.flatMap((channel, index) =>
      isThere(channel)
        ? []
        : [{ path: [...path, String(index)], message: `${channel} is told nothing: that is not configured` }],
    ),
  );
}

/** Everybody whom {@link unresolvedSelectors} looks for; each selector once. */
export function selectorsNamed(content: SelectorRules): readonly Selector[] {
  const named = selectorUsesIn(content).flatMap(({ selector }) => (isListed(selector) ? [selector] : []));
  return [...new Map(named.map((one) => [formatSelector(one), one])).values()];
}

/** Whether our records alone say who is meant. */
function isListed({ kind }: Selector): boolean {
  return kind !== "manager" && kind !== "slack-usergroup";
}

function membersBySelector(people: readonly Identity[]): SelectorMembers {
  const members = new Map<string, Set<IdentityId>>();
  const add = (selector: Selector, id: IdentityId): void => {
    const text = formatSelector(selector);
    members.set(text, (members.get(text) ?? new Set()).add(id));
  };
  for (const person of people) {
    if (person.kind !== "HUMAN" || !isActive(person)) continue;
    const { id, email, groups } = person;
    add({ kind: "identity", id }, id);
    if (email !== undefined) add({ kind: "email", email: email.toLowerCase() }, id);
    for (const group of groups) add({ kind: "group", group }, id);
  }
  return members;
}

function whyEmpty(selector: Selector, members: SelectorMembers, isSlackTrusted: boolean): string | undefined {
  if (selector.kind === "slack-usergroup") {
    return isSlackTrusted ? undefined : "slack.trustUserGroups is not true";
  }
  if (!isListed(selector) || members.has(formatSelector(selector))) return undefined;
  return selector.kind === "group"
    ? "no active person is in this group"
    : "there is no active person by that name";
}

/** Stages that want more approvals than they have approvers. A manager is one person, whoever that is. */
function tooFew(content: SelectorRules, members: SelectorMembers): readonly PlacedProblem[] {
  return stagesIn(content).flatMap(({ path, stage }) => {
    if (stage.approvers.some((one) => one.kind === "slack-usergroup")) return [];
    const managers = stage.approvers.some((one) => one.kind === "manager") ? 1 : 0;
    const count = managers + countUpTo(stage.required, stage.approvers.filter(isListed), members);
    // None at all is said at each of the names.
    if (count === 0 || count >= stage.required) return [];
    return [
      {
        path: [...path, "required"],
        message: `${stage.required} approvals are wanted, and there ${count === 1 ? "is only 1 approver" : `are only ${count} approvers`}`,
      },
    ];
  });
}

/** Policies that want more approvals over all their stages than they can ask people: each counts once. */
function tooFewInAll(content: SelectorRules, members: SelectorMembers): readonly PlacedProblem[] {
  return approvalsIn(content).flatMap(({ path, approval: { stages } }) => {
    const selectors = stages.flatMap((one) => [...one.approvers, ...one.escalateTo.flat()]);
    if (stages.length < 2 || selectors.some((one) => one.kind === "slack-usergroup")) return [];
    const wanted = stages.reduce((sum, one) => sum + one.required, 0);
    const managers = selectors.some((one) => one.kind === "manager") ? 1 : 0;
    const count = managers + countUpTo(wanted, selectors.filter(isListed), members);
    if (count === 0 || count >= wanted) return [];
    const message = `${wanted} approvals are wanted over all stages, each person counts once, and there ${count === 1 ? "is only 1 person" : `are only ${count} people`} to ask`;
    return [{ path: [...path, "stages"], message }];
  });
}

/** How many different people these mean, as far as it matters: groups may be large, and policies many. */
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
    ...listed(["roles", "admin"], chatRoles.admin),
    ...listed(["roles", "auditor"], chatRoles.auditor),
    ...stagesIn(content).flatMap(({ path, stage }) => [
      ...listed([...path, "approvers"], stage.approvers),
      ...stage.escalateTo.flatMap((list, level) => listed([...path, "escalateTo", String(level)], list)),
    ]),
    ...listed(["breakGlass", "allowed"], breakGlass.allowed),
    ...(isUsed ? listed(["breakGlass", "review", "by"], breakGlass.review.by) : []),
  ];
}

function listed(path: readonly string[], selectors: readonly Selector[]): readonly SelectorUse[] {
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

/** Of every policy that is in force, the default last. */
function approvalsIn({ policies, rules: { defaultPolicy } }: SelectorRules): readonly PlacedApproval[] {
  return [
    ...policies.map((policy, index) => ({ policy, path: ["policies", String(index)] })),
    ...(defaultPolicy === undefined ? [] : [{ policy: defaultPolicy, path: ["default"] }]),
  ].flatMap(({ policy: { enabled, effect }, path }) =>
    enabled && effect.kind === "approval" ? [{ path: [...path, "approval"], approval: effect.approval }] : [],
  );
}

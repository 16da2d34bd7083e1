import type { Actor } from "../../core/access/access-request.ts";
import { sameContent } from "../../core/values/same-content.ts";
import type { Condition } from "../../core/policy/conditions.ts";
import { costlyPatternsOf, newlyCostly, refuseCostly } from "../../core/policy/costly-patterns.ts";
import {
  accountIn,
  linkName,
  linkTo,
  withoutLink,
  type ChatAccount,
  type Identity,
  type Links,
} from "../../core/values/identity.ts";
import { withOrigins } from "../../core/values/identity-origins.ts";
import type { Policy, Rulebook, Rules } from "../../core/policy/policy.ts";
import type { PlacedProblem, Refusal } from "../../core/values/refusals.ts";
import { identityStep } from "../people/directory-service.ts";
import type { FileContent } from "./configuration-content.ts";
import { fileWarnings, namesake } from "./find-warnings.ts";
import { linksMadeIfAsked, newLinks } from "../people/new-account-links.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import { policyNameKey } from "./policy-service.ts";
import type { Step, Write } from "../ports/store.ts";
import { withReviewsJoined } from "../decisions/approver-review-effects.ts";
import { releasesFirst } from "../decisions/build-step.ts";
import { decideAndCommit } from "../decisions/decide-and-commit.ts";

export interface Loaded {
  readonly identities: number;
  readonly policies: number;
  /** How many records differ from before. */
  readonly changed: number;
}

export interface ConfigurationService {
  /**
   * Applies the file to the store in one commit, completely or not at all. Versions increase only where content
   * changes. People who were removed from the file are deactivated. An administrator's deactivation of a person stays.
   */
  load(content: FileContent, source: "file" | "example", fileName: string): Promise<Loaded | Refusal>;
  /** Probable mistakes in force, for example unknown people and channels, or a duplicate name. */
  warnings(content: FileContent): Promise<readonly PlacedProblem[]>;
}

/** How many people are compared in one slice, so that a large file does not delay other calls. */
const sliceOfPeople = 100;

/** The actor of changes by the configuration file. */
export const configurationLoader: Actor = {
  type: "system",
  id: "configuration",
  name: "configuration file",
  via: "system",
};

/** @param pause Awaited between slices of the comparison. Everything is still written in one step. */
export function createConfigurationService(
  context: ServiceContext,
  pause: () => Promise<void> = async () => {},
): ConfigurationService {
  const { store, runtime } = context;
  return {
    load: (content, source, fileName) =>
      decideAndCommit(store, async () => {
        const { book } = await context.rulebook();
        const found = costlyPatternsOf(content.policies, content.rules);
        const costly = refuseCostly(newlyCostly(found, conditionsOf(book)));
        if (costly !== undefined) return costly;
        const people = await peopleSteps(context, content, pause);
        const rules = rulesWithVersion(content.rules, book.rules);
        const policies = policyStep(context, book, { ...content, rules });
        const isSameRules = sameContent(rules, book.rules) && (await store.rulesSource()) === source;
        const steps = [...people.steps, policies];
        const { linked } = people;
        const changed = people.steps.length + policies.writes.length + (isSameRules ? 0 : 1);
        const ruleWrites: Write[] = isSameRules ? [] : [{ kind: "rules", value: rules, source }];
        const result = { identities: content.identities.length, policies: content.policies.length, changed };
        const data = { file: fileName, ...result, rules: changedRules(book.rules, rules) };
        const step: Step = {
          expects: [
            { kind: "rulebook", id: "rulebook", version: book.version },
            ...steps.flatMap((one) => one.expects),
          ],
          writes: [...steps.flatMap((one) => one.writes), ...ruleWrites],
          unique: releasesFirst(steps.flatMap((one) => one.unique)),
          counters: [],
          audit: [
            ...steps.flatMap((one) => one.audit),
            {
              at: runtime.now(),
              action: "config.loaded",
              actor: configurationLoader,
              data,
            },
          ],
          effects: [
            ...withReviewsJoined(
              steps.flatMap((one) => one.effects),
              { now: runtime.now(), runtime },
            ),
            ...(await linksMadeIfAsked(linked, context)),
          ],
        };
        return { step, result };
      }),
    warnings: async (content) => fileWarnings(context, content),
  };
}

async function peopleSteps(
  context: ServiceContext,
  content: FileContent,
  pause: () => Promise<void>,
): Promise<{ readonly steps: readonly Step[]; readonly linked: readonly ChatAccount[] }> {
  const { store } = context;
  const steps: Step[] = [];
  const linked: ChatAccount[] = [];
  const listed = new Set<string>();
  const ofFile = accountsNamed(content);
  const known = new Map((await store.fileIdentities()).map((one) => [one.value.id, one]));
  for (const [index, person] of content.identities.entries()) {
    if (index % sliceOfPeople === 0) await pause();
    listed.add(person.id);
    // A person created over the API may have been added to the file since.
    const before = known.get(person.id) ?? (await store.identity(person.id));
    const wanted: Identity = {
      ...person,
      ...mergeLinks(person, before?.value.chatLinks, ofFile),
      managedBy: "file",
      listed: true,
      enabled: before?.value.enabled ?? true,
    };
    const after = withOrigins(before?.value, wanted, [], context.runtime.now());
    if (before === undefined || !sameContent(before.value, after)) {
      steps.push(identityStep(context, before, after, configurationLoader, []));
      linked.push(...newLinks(before?.value, after));
    }
  }
  for (const before of known.values()) {
    if (listed.has(before.value.id) || !before.value.listed) continue;
    // Links made in chat are removed with the person. A person who returns is linked again.
    const { chatLinks, ...gone } = before.value;
    const links = accountsIn(chatLinks ?? {}).reduce(
      (kept, { surface }) => withoutLink(kept, surface),
      gone.links,
    );
    steps.push(identityStep(context, before, { ...gone, links, listed: false }, configurationLoader, []));
  }
  return { steps, linked };
}

/** Every account that the file links to a person. */
function accountsNamed({ identities }: FileContent): ReadonlySet<string> {
  return new Set(identities.flatMap(({ links }) => accountsIn(links).map(linkName)));
}

/**
 * The file's links, and those made in chat. A link made in chat is dropped where the file names an account of this
 * person on the same platform, or links the account to anybody.
 */
function mergeLinks(
  { links }: FileContent["identities"][number],
  madeInChat: Links = {},
  ofFile: ReadonlySet<string>,
): Pick<Identity, "links" | "chatLinks"> {
  const kept = accountsIn(madeInChat).filter(
    (account) => accountIn(links, account.surface) === undefined && !ofFile.has(linkName(account)),
  );
  if (kept.length === 0) return { links };
  const chatLinks = kept.reduce<Links>((all, account) => ({ ...all, ...linkTo(account) }), {});
  return { links: { ...chatLinks, ...links }, chatLinks };
}

function accountsIn(links: Links): readonly ChatAccount[] {
  return [accountIn(links, "slack"), accountIn(links, "teams")].filter((one) => one !== undefined);
}

function policyStep({ runtime }: ServiceContext, book: Rulebook, content: FileContent): Step {
  const before = new Map(book.policies.map((policy) => [policy.id, policy]));
  const writes: Write[] = [];
  const unique: Step["unique"][number][] = [];
  const audit: Step["audit"][number][] = [];
  const record = (change: string, policy: Policy): void => {
    const { id, name, version } = policy;
    audit.push({
      at: runtime.now(),
      action: "policy.changed",
      actor: configurationLoader,
      data: { change, policy: id, name, version, content: policy },
    });
  };
  for (const draft of content.policies) {
    const was = before.get(draft.id);
    before.delete(draft.id);
    if (was !== undefined && sameContent(was, { ...draft, version: was.version, managedBy: "file" }))
      continue;
    const policy: Policy = { ...draft, version: (was?.version ?? 0) + 1, managedBy: "file" };
    writes.push({ kind: "policy", value: policy });
    unique.push({ take: policyNameKey(policy.name), owner: policy.id });
    record(was === undefined ? "created" : "changed", policy);
  }
  for (const policy of before.values()) {
    if (policy.managedBy !== "file") continue;
    writes.push({ kind: "policyDeleted", id: policy.id });
    unique.push({ release: policyNameKey(policy.name), owner: policy.id });
    record("deleted", policy);
  }
  const [was, is] = [book.rules.defaultPolicy, content.rules.defaultPolicy];
  if (was !== undefined && was.name !== is?.name) {
    unique.push({ release: policyNameKey(was.name), owner: was.id });
  }
  // Also for an unchanged policy: older versions loaded it without taking its name. If another policy has taken it
  // since, a start must not fail; see warnings().
  const isLeft = is?.name === was?.name && namesake(book, is?.name) !== undefined;
  if (is !== undefined && !isLeft) unique.push({ take: policyNameKey(is.name), owner: is.id });
  if (is === undefined && was !== undefined) record("deleted", was);
  if (is !== undefined && !sameContent(was, is)) record(was === undefined ? "created" : "changed", is);
  return { expects: [], writes, unique, counters: [], audit, effects: [] };
}

/** Every stored list of conditions. */
function conditionsOf({ policies, rules }: Rulebook): readonly (readonly Condition[])[] {
  return [
    ...policies.map(({ conditions }) => conditions),
    ...rules.risk.map(({ when }) => when),
    rules.breakGlass.conditions,
  ];
}

/** The rules that have changed, for the audit record. The default policy has a record of its own. */
function changedRules(before: Rules, after: Rules): Partial<Rules> {
  const changed = Object.entries(after).filter(
    ([name, value]) => name !== "defaultPolicy" && !sameContent(Reflect.get(before, name), value),
  );
  return Object.fromEntries(changed);
}

/** The default policy's version increases only with its content, as for any policy. */
function rulesWithVersion(rules: Rules, before: Rules): Rules {
  const { defaultPolicy } = rules;
  if (defaultPolicy === undefined) return rules;
  const was = before.defaultPolicy;
  const isSame = was !== undefined && sameContent({ ...defaultPolicy, version: was.version }, was);
  const version = was === undefined ? 1 : was.version + (isSame ? 0 : 1);
  return { ...rules, defaultPolicy: { ...defaultPolicy, version } };
}

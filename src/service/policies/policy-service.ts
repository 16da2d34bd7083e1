import type { Actor } from "../../core/access/access-request.ts";
import { costlyPatterns, newlyCostly, refuseCostly } from "../../core/policy/costly-patterns.ts";
import { makeId, parseId } from "../../core/values/ids.ts";
import type { Policy, Rulebook } from "../../core/policy/policy.ts";
import { isRefusal, refuse, type PlacedProblem, type Refusal } from "../../core/values/refusals.ts";
import { actorOf, lacksRole, type Caller } from "../ports/caller.ts";
import { policyWarnings } from "./find-warnings.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import type { Step, UniqueChange, Write } from "../ports/store.ts";
import { decideAndCommit } from "../decisions/decide-and-commit.ts";

/** A policy as its author wrote it, without the id, version and source that we add. */
export type PolicyDraft = Omit<Policy, "id" | "version" | "managedBy">;

export interface PolicyService {
  list(caller: Caller): Promise<readonly Policy[] | Refusal>;
  read(caller: Caller, id: string): Promise<Policy | Refusal>;
  create(caller: Caller, draft: PolicyDraft): Promise<Policy | Refusal>;
  /** A new version. */
  replace(caller: Caller, id: string, draft: PolicyDraft): Promise<Policy | Refusal>;
  /** Probable mistakes in this valid policy, by the people and rules in force. Paths start at the policy. */
  warnings(policy: Policy): Promise<readonly PlacedProblem[]>;
  /** Requirements that it has frozen on requests stay. */
  remove(caller: Caller, id: string): Promise<Policy | Refusal>;
}

export function createPolicyService(context: ServiceContext): PolicyService {
  return {
    list: async (caller) => lacksRole(caller, "admin", "auditor") ?? policiesOf(context),
    read: async (caller, id) => lacksRole(caller, "admin", "auditor") ?? findPolicy(context, id),
    warnings: async (policy) => policyWarnings(context, policy),
    create: async (caller, draft) =>
      lacksRole(caller, "admin") ??
      refuseCostly(costlyPatterns(draft.conditions, ["conditions"])) ??
      create(context, caller, draft),
    replace: async (caller, id, draft) =>
      lacksRole(caller, "admin") ??
      change(context, caller, id, (before) => {
        const after: Policy = { ...draft, id: before.id, version: before.version + 1, managedBy: "api" };
        const found = costlyPatterns(draft.conditions, ["conditions"]);
        const costly = refuseCostly(newlyCostly(found, [before.conditions]));
        if (costly !== undefined) return costly;
        return { after, write: { kind: "policy", value: after }, action: "changed" };
      }),
    remove: async (caller, id) =>
      lacksRole(caller, "admin") ??
      change(context, caller, id, (before) => ({
        after: before,
        write: { kind: "policyDeleted", id: before.id },
        action: "deleted",
      })),
  };
}

async function policiesOf(context: ServiceContext): Promise<readonly Policy[]> {
  return (await context.rulebook()).book.policies;
}

/** A policy in force, the file's `default` among them; else `not_found`. */
export async function findPolicy({ rulebook }: ServiceContext, id: string): Promise<Policy | Refusal> {
  return policyIn((await rulebook()).book, id);
}

function policyIn({ policies, rules }: Rulebook, id: string): Policy | Refusal {
  const policyId = parseId("policy", id);
  const found = [...policies, rules.defaultPolicy].find((policy) => policy?.id === policyId);
  return found ?? refuse("not_found", `There is no policy "${id.slice(0, 80)}".`);
}

async function create(
  context: ServiceContext,
  caller: Caller,
  draft: PolicyDraft,
): Promise<Policy | Refusal> {
  const id = makeId("policy", context.runtime.idSuffix());
  const policy: Policy = { ...draft, id, version: 1, managedBy: "api" };
  return decideAndCommit(context.store, async () => {
    const { book } = await context.rulebook();
    const details = { action: "created", policy };
    const step = policyStep(
      context,
      book.version,
      [{ kind: "policy", value: policy }],
      actorOf(caller),
      details,
    );
    return { step: { ...step, unique: [{ take: policyNameKey(draft.name), owner: id }] }, result: policy };
  });
}

interface PolicyChange {
  readonly after: Policy;
  readonly write: Extract<Write, { kind: "policy" | "policyDeleted" }>;
  readonly action: string;
}

/** Changes a policy of the API. Policies of the file are changed in the file. */
async function change(
  context: ServiceContext,
  caller: Caller,
  id: string,
  made: (before: Policy) => PolicyChange | Refusal,
): Promise<Policy | Refusal> {
  return decideAndCommit(context.store, async () => {
    const { book } = await context.rulebook();
    const before = policyIn(book, id);
    if (isRefusal(before)) return before;
    if (before.managedBy === "file") {
      return refuse(
        "managed_by_file",
        "The configuration file manages this policy; change it there and reload.",
      );
    }
    const planned = made(before);
    if (isRefusal(planned)) return planned;
    const { after, write, action } = planned;
    const isNamed = write.kind === "policy";
    const isRenamed = after.name !== before.name || !isNamed;
    const unique: UniqueChange[] = isRenamed
      ? [{ release: policyNameKey(before.name), owner: before.id }]
      : [];
    if (isRenamed && isNamed) unique.push({ take: policyNameKey(after.name), owner: after.id });
    const step = policyStep(context, book.version, [write], actorOf(caller), { action, policy: after });
    return { step: { ...step, unique }, result: after };
  });
}

/** Policy names are unique across the file and the API. */
export function policyNameKey(name: string): string {
  return `policy-name:${name}`;
}

function policyStep(
  { runtime }: Pick<ServiceContext, "runtime">,
  rulebookVersion: number,
  writes: readonly Write[],
  by: Actor,
  { action, policy }: { readonly action: string; readonly policy: Policy },
): Step {
  return {
    expects: [{ kind: "rulebook", id: "rulebook", version: rulebookVersion }],
    writes,
    unique: [],
    counters: [],
    audit: [
      {
        at: runtime.now(),
        action: "policy.changed",
        actor: by,
        data: {
          change: action,
          policy: policy.id,
          name: policy.name,
          version: policy.version,
          content: policy,
        },
      },
    ],
    effects: [],
  };
}

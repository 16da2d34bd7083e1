import { assertPresent } from "../../src/core/values/assert.ts";
import { parseSelector } from "../../src/core/values/identity.ts";
import { emptyRules, type Policy, type Rules } from "../../src/core/policy/policy.ts";
import { minuteMs } from "../../src/core/values/time.ts";
import { approvalPolicy, stageBy } from "../core/support/policies.ts";
import type { ServiceHarness } from "../service/support/service-harness.ts";

/** The current text and buttons of a request's card. */
export interface ShownDelivery {
  readonly words: string;
  readonly buttons: readonly string[];
}

/** A platform that rewrites its messages, with people on it and one channel. */
export interface DeliveriesHarness {
  readonly service: ServiceHarness;
  settle(): Promise<void>;
  /** The cards this person sees, in the order they were posted. */
  deliveriesOf(name: string): readonly ShownDelivery[];
  deliveriesInChannel(): readonly ShownDelivery[];
  /** Deletes all messages to this person. */
  deleteDeliveriesOf(name: string): void;
  /** All messages with buttons, by their ids on the platform. */
  withButtons(): readonly { readonly id: string; readonly buttons: readonly string[] }[];
  /** Makes messages to this person fail from now on; null: to everybody. */
  fail(name: string | null): void;
  heal(): void;
}

/** One policy for {@link contractScope}, one for {@link notedScope} with a reminder and an escalation. */
export const contractPolicies = (channel: string): readonly Policy[] => [
  approvalPolicy(
    "pair",
    { stages: [stageBy("group:dba", { required: 2 })], channels: [channel] },
    { conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "pair:" }] },
  ),
  approvalPolicy(
    "noted",
    {
      stages: [
        stageBy("group:dba", {
          required: 2,
          remindersMs: [10 * minuteMs],
          slaMs: 30 * minuteMs,
          escalateTo: [[assertPresent(parseSelector("cto@company.com"), "cto")]],
        }),
      ],
      channels: [channel],
    },
    { conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "noted:" }] },
  ),
];

/** Rules with an administrator who links accounts, and reviewers of break-glass access. */
export const contractRules: Partial<Rules> = {
  breakGlass: {
    ...emptyRules.breakGlass,
    allowed: [{ kind: "group", group: "oncall" }],
    review: { ...emptyRules.breakGlass.review, by: [{ kind: "group", group: "dba" }] },
  },
  chatRoles: { admin: [assertPresent(parseSelector("cto@company.com"), "cto")], auditor: [] },
};

/** Two of ann, bob and cid decide about this scope; its card is also posted in the channel. */
export const contractScope = "read:pair:x";
export const notedScope = "read:noted:x";

/** Sets the members of group:dba by a reload with the current policies and the contract's rules. */
export async function members(h: DeliveriesHarness, ...names: readonly string[]): Promise<void> {
  const { store, context, configure } = h.service;
  const people = (await store.fileIdentities()).map(({ value }) => {
    const { managedBy: _managedBy, listed: _listed, enabled: _enabled, ...person } = value;
    const others = person.groups.filter((group) => group !== "dba");
    return { ...person, groups: names.includes(person.name) ? [...others, "dba"] : others };
  });
  await configure((await context.rulebook()).book.policies, contractRules, people);
  await h.settle();
}

import { assertPresent } from "../../src/core/values/assert.ts";
import { parseSelector } from "../../src/core/values/identity.ts";
import { emptyRules, type Policy, type Rules } from "../../src/core/policy/policy.ts";
import { minuteMs } from "../../src/core/values/time.ts";
import { approvalPolicy, stageBy } from "../core/support/policies.ts";
import type { ServiceHarness } from "../service/support/service-harness.ts";

/** A request's card as somebody reads it now. */
export interface ShownDelivery {
  readonly words: string;
  readonly buttons: readonly string[];
}

/** A platform whose messages are kept true, with people on it and one channel. */
export interface DeliveriesHarness {
  readonly service: ServiceHarness;
  settle(): Promise<void>;
  /** The copies this person sees, in the order they were posted. */
  deliveriesOf(name: string): readonly ShownDelivery[];
  deliveriesInChannel(): readonly ShownDelivery[];
  /** Everything that this person has got so far is deleted. */
  deleteDeliveriesOf(name: string): void;
  /** Every message of the platform that has a button on it, by the platform's own id. */
  withButtons(): readonly { readonly id: string; readonly buttons: readonly string[] }[];
  /** From now on nothing gets through to this person, or with null to anybody. */
  fail(name: string | null): void;
  heal(): void;
}

/** Of {@link contractScope}, and of {@link notedScope} with a reminder and an escalation, so that there are notes too. */
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

/** Who is asked to link somebody, and who reviews what dev takes in an emergency. */
export const contractRules: Partial<Rules> = {
  breakGlass: {
    ...emptyRules.breakGlass,
    allowed: [{ kind: "group", group: "oncall" }],
    review: { ...emptyRules.breakGlass.review, by: [{ kind: "group", group: "dba" }] },
  },
  chatRoles: { admin: [assertPresent(parseSelector("cto@company.com"), "cto")], auditor: [] },
};

/** What dev asks for here is decided by two of ann, bob and cid, and also posted in the channel. */
export const contractScope = "read:pair:x";
export const notedScope = "read:noted:x";

/** The members of group:dba from now on, by a reload of what the house runs on beside the contract's rules. */
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

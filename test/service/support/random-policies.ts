import { emptyRules, type Policy, type Rules } from "../../../src/core/policy/policy.ts";
import { hourMs, minuteMs } from "../../../src/core/values/time.ts";
import { approvalPolicy, autoPolicy, denyPolicy, stageBy } from "../../core/support/policies.ts";
import { allStaff, staff, type ServiceHarness } from "./service-harness.ts";

const below = (value: string) => [{ type: "RESOURCE", operator: "STARTS_WITH", value }] as const;
/** The most uses a capped policy ever has. */
export const useMax = 4;
/** The most pending requests and active grants of one person. */
export const openMax = 3;

const security = { kind: "group", group: "security" } as const;

/** Versions of the file that a run switches between. */
const books: readonly (readonly Policy[])[] = [
  [
    autoPolicy("auto", { conditions: below("dev:"), maxUsage: useMax, priority: 2 }),
    approvalPolicy("two", {
      windowMs: 6 * hourMs,
      stages: [stageBy("group:dba"), stageBy("group:security")],
    }),
    approvalPolicy(
      "capped",
      { stages: [stageBy("group:dba")] },
      { conditions: below("cap:"), maxUsage: useMax, priority: 1 },
    ),
  ],
  [
    autoPolicy("auto", { conditions: below("dev:"), maxUsage: useMax, priority: 2 }),
    approvalPolicy("two", {
      windowMs: 2 * hourMs,
      stages: [
        stageBy("group:dba", {
          required: 2,
          slaMs: 20 * minuteMs,
          remindersMs: [5 * minuteMs],
          escalateTo: [[{ kind: "email", email: "cto@company.com" }]],
        }),
        stageBy("manager group:security"),
      ],
    }),
    approvalPolicy(
      "capped",
      { stages: [stageBy("group:dba")] },
      { conditions: below("cap:"), maxUsage: useMax, priority: 1 },
    ),
  ],
  [
    denyPolicy("no prod", { conditions: below("prod:") }),
    approvalPolicy("two", { stages: [stageBy("group:dba")] }),
  ],
];

/** Groups change as well. */
const crews = [
  allStaff,
  allStaff.map((one) => (one.name === "ann" ? staff("ann", { groups: ["security"] }) : one)),
  allStaff.filter((one) => one.name !== "cid"),
] as const;

const rules: Partial<Rules> = {
  limits: { pendingPerIdentity: openMax, activePerIdentity: openMax },
  breakGlass: {
    ...emptyRules.breakGlass,
    allowed: [{ kind: "group", group: "oncall" }],
    review: { ...emptyRules.breakGlass.review, by: [security], dueMs: 3 * hourMs },
  },
};

/** Loads another version of the file. */
export async function load(harness: ServiceHarness, book: number, crew: number): Promise<void> {
  const policies = (books[book % books.length] ?? []).map((one) => ({ ...one, managedBy: "file" as const }));
  await harness.configure(policies, rules, crews[crew % crews.length]);
}

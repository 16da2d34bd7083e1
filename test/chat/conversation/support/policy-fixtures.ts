import { parseScope } from "../../../../src/core/values/scopes.ts";
import { hourMs } from "../../../../src/core/values/time.ts";
import { emptyRules, type Policy, type Rules } from "../../../../src/core/policy/policy.ts";
import type { Condition } from "../../../../src/core/policy/conditions.ts";
import { assertPresent } from "../../../../src/core/values/assert.ts";
import { parseSelector } from "../../../../src/core/values/identity.ts";
import { approvalPolicy, autoPolicy, denyPolicy, stageBy } from "../../../core/support/policies.ts";

const of = (value: string): Condition => ({ type: "RESOURCE", operator: "STARTS_WITH", value });
const selector = (text: string) => assertPresent(parseSelector(text), text);
const scope = (text: string) => assertPresent(parseScope(text), text);

/** prod: one DBA; pay: two DBAs and a ticket; team: the manager; vault: denied; dev: auto-approved. */
export const chatPolicies = (): readonly Policy[] => [
  approvalPolicy("production", {}, { conditions: [of("prod:")], maxDurationMs: 4 * hourMs }),
  approvalPolicy(
    "pay",
    { stages: [stageBy("group:dba", { required: 2 })] },
    { conditions: [of("pay:")], requireTicket: true },
  ),
  approvalPolicy("team", { stages: [stageBy("manager")] }, { conditions: [of("team:")] }),
  denyPolicy("vault", { conditions: [of("vault")] }),
  autoPolicy("development", { conditions: [of("dev:")] }),
];

export const chatRules: Partial<Rules> = {
  catalog: [
    {
      name: "Orders database (read)",
      scopes: [scope("read:prod:orders-db")],
      description: "Replicas, reports",
    },
    { name: "Payments, all of it", scopes: [scope("read:pay:ledger"), scope("write:pay:ledger")] },
    { name: "Vault", scopes: [scope("read:vault")] },
    { name: "Playground", scopes: [scope("write:dev:playground")] },
  ],
  risk: [{ name: "production", points: 40, when: [of("prod:")] }],
  chatRoles: { admin: [selector("cto@company.com")], auditor: [] },
  breakGlass: {
    ...emptyRules.breakGlass,
    allowed: [selector("group:oncall")],
    review: { ...emptyRules.breakGlass.review, by: [selector("group:security")] },
    notify: ["slack:C0SECURITY"],
  },
};

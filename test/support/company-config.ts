/** People and programs of the configuration files that journeys write, as an operator would. */
export const staff = [
  { id: "id_dev", email: "dev@company.com", name: "Dev", groups: ["engineering"], managerId: "id_lead" },
  { id: "id_eve", email: "eve@company.com", name: "Eve", groups: ["engineering"], managerId: "id_lead" },
  { id: "id_lead", email: "lead@company.com", name: "Lead" },
  { id: "id_ann", email: "ann@company.com", name: "Ann", groups: ["dba"] },
  { id: "id_bob", email: "bob@company.com", name: "Bob", groups: ["dba"] },
  { id: "id_cid", email: "cid@company.com", name: "Cid", groups: ["dba"] },
  { id: "id_sec", email: "sec@company.com", name: "Sec", groups: ["security"] },
  { id: "id_sam", email: "sam@company.com", name: "Sam", groups: ["security"] },
  { id: "id_cto", email: "cto@company.com", name: "Cto", groups: ["leadership"] },
  { id: "id_oncall", email: "oncall@company.com", name: "On call", groups: ["oncall"] },
  { id: "id_proxy", kind: "SERVICE", name: "Proxy" },
] as const;

/** Governs everything below a resource: `db:` and so on. */
const below = (prefix: string) => [{ type: "RESOURCE", operator: "STARTS_WITH", value: prefix }];

/** A policy that approves by itself below this resource. */
export function autoBelow(prefix: string, more: object = {}) {
  return { name: `auto ${prefix}`, autoApprove: true, conditions: below(prefix), ...more };
}

/** A policy that asks people below this resource. */
export function askedBelow(prefix: string, approval: object, more: object = {}) {
  return { name: `asked ${prefix}`, conditions: below(prefix), approval, ...more };
}

export function deniedBelow(prefix: string) {
  return { name: `denied ${prefix}`, deny: true, conditions: below(prefix) };
}

/** A sweep every second: the shortest that cron can say. */
export const everySecond = { JIT_SWEEP_CRON: "* * * * * *" };
/** No sweep beside the one at the start: what holds then, holds by the clock alone. */
export const noSweep = { JIT_SWEEP_CRON: "0 0 0 29 2 *" };
/** For tests that ask all the time. */
export const manyCalls = { RATE_LIMIT_PER_MINUTE: "1000000" };

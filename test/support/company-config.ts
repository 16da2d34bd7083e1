/** The people and programs in the configuration files of journeys. */
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

/** A policy that auto-approves below this resource. */
export function autoBelow(prefix: string, more: object = {}) {
  return { name: `auto ${prefix}`, autoApprove: true, conditions: below(prefix), ...more };
}

/** A policy that requires approval below this resource. */
export function askedBelow(prefix: string, approval: object, more: object = {}) {
  return { name: `asked ${prefix}`, conditions: below(prefix), approval, ...more };
}

export function deniedBelow(prefix: string) {
  return { name: `denied ${prefix}`, deny: true, conditions: below(prefix) };
}

/** A sweep every second, the shortest interval of cron. */
export const everySecond = { JIT_SWEEP_CRON: "* * * * * *" };
/** No sweep except at the start, so that only the clock ends access. */
export const noSweep = { JIT_SWEEP_CRON: "0 0 0 29 2 *" };
/** For tests with many calls. */
export const manyCalls = { RATE_LIMIT_PER_MINUTE: "1000000" };

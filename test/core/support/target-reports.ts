import type { AccessCase, Decision } from "../../../src/core/access/access-case.ts";
import type { Instant } from "../../../src/core/values/ids.ts";
import { decideFailure } from "../../../src/core/decisions/decide-preparation.ts";
import {
  decideAttempted,
  decideCleared,
  decideDrift,
  decideOverdue,
  decideProvisioned,
} from "../../../src/core/decisions/decide-provisioning.ts";
import { targetOf } from "../../../src/core/access/grant.ts";
import type { DesiredTarget } from "../../../src/core/access/target.ts";
import { scopeOf } from "./policies.ts";

/** A report about one target of the grant. */
export type Report =
  | { do: "attempted" | "provisioned" | "failed" | "cleared" | "overdue"; at: string }
  | { do: "drifted"; at: string; drift: readonly string[] };

export const decideReport = (accessCase: AccessCase, report: Report, now: Instant): Decision => {
  const { grant } = accessCase;
  if (report.do === "failed") return decideFailure(accessCase, report.at, "it refused", now);
  if (grant === undefined) return [];
  switch (report.do) {
    case "attempted":
      return decideAttempted(grant, report.at, now);
    case "provisioned": {
      const notAfter = targetOf(grant, report.at)?.spec.notAfter ?? now;
      return decideProvisioned(grant, report.at, notAfter, now);
    }
    case "cleared":
      return decideCleared(grant, report.at, now);
    case "overdue":
      return decideOverdue(grant, report.at, now);
    case "drifted":
      return decideDrift(grant, report.at, report.drift, now);
  }
};

/** The targets that connectors serve for every prepared request. */
export const desiredTargets: readonly DesiredTarget[] = ["db", "cache"].map((connector) => ({
  connector,
  object: `jit_${connector}`,
  scopes: [scopeOf("read:prod:orders-db")],
  rights: { roles: ["orders_read"] },
}));

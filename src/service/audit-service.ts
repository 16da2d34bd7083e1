import type { Refusal } from "../core/refusals.ts";
import { lacksRole, type Caller } from "./caller.ts";
import type { ServiceContext } from "./loading.ts";
import type { AuditFilter, AuditRow, AuditVerdict } from "./ports.ts";

export interface AuditService {
  /** Ascending by `seq`. */
  events(caller: Caller, filter: AuditFilter): Promise<readonly AuditRow[] | Refusal>;
  /** Recomputes the whole chain. A tail that was cut off whole cannot be seen from inside: keep `head` elsewhere. */
  verify(caller: Caller): Promise<AuditVerdict | Refusal>;
}

export function createAuditService({ store }: Pick<ServiceContext, "store">): AuditService {
  return {
    async events(caller, filter) {
      return lacksRole(caller, "auditor", "admin") ?? store.auditEvents(filter);
    },
    async verify(caller) {
      return lacksRole(caller, "auditor", "admin") ?? store.verifyAudit();
    },
  };
}

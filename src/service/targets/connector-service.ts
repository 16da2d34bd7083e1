import type { Refusal } from "../../core/values/refusals.ts";
import { secondMs } from "../../core/values/time.ts";
import type { AbandonObject } from "./abandon-object.ts";
import type { ConfirmAddress } from "./connector-addresses.ts";
import type { ConnectorTroubles } from "../ports/connector-registry.ts";
import { lacksRole, type Caller } from "../ports/caller.ts";
import { ConnectorFault, type CheckFinding, type CheckResult, type Connector } from "../ports/connector.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import type { ConnectorInUse } from "../ports/target-reads.ts";
import { connectorProblems } from "./reconcile-connectors.ts";
import { reasonOf } from "./target-service.ts";

/** A connector, and how many of our objects may be at its target. */
export interface ConnectorView {
  readonly name: string;
  readonly kind: string;
  readonly place: string | null;
  /** Why it differs from the configuration; null when it does not. */
  readonly problem: string | null;
  /** An address that waits to be confirmed. */
  readonly proposedPlace: string | null;
  readonly targets: number;
  readonly overdue: number;
}

export interface CheckedConnector {
  readonly name: string;
  readonly kind: string;
  /** The worst of its findings. */
  readonly result: CheckResult;
  readonly findings: readonly CheckFinding[];
}

export interface ConnectorService {
  list(caller: Caller): Promise<readonly ConnectorView[] | Refusal>;
  /** Checks rights, version and clock at every target, in parallel. */
  check(caller: Caller): Promise<readonly CheckedConnector[] | Refusal>;
  /** Gives up an object at a target that is permanently lost. */
  readonly abandon: AbandonObject;
  /** Accepts a changed address that is not proven to lead to the same target. */
  readonly confirm: ConfirmAddress;
}

/** How long the check of one target may take. */
const checkWithinMs = 10 * secondMs;

export function createConnectorService(
  {
    store,
    connectors,
    troubles,
  }: Pick<ServiceContext, "store" | "connectors"> & {
    readonly troubles: () => ConnectorTroubles;
  },
  verbs: Pick<ConnectorService, "abandon" | "confirm">,
  onFault: (fault: unknown) => void,
): ConnectorService {
  return {
    ...verbs,
    async list(caller) {
      const missing = lacksRole(caller, "admin", "auditor");
      if (missing !== undefined) return missing;
      const inUse = await store.connectorsInUse();
      const problems = connectorProblems(inUse, connectors(), troubles());
      const names = new Set([...connectors().keys(), ...problems.keys()]);
      return [...names].map((name) => {
        const held = inUse.filter((one) => one.connector === name);
        const connector = connectors().get(name);
        return {
          name,
          kind: connector?.kind ?? "unknown",
          place: connector?.place ?? held.find(({ place }) => place !== null)?.place ?? null,
          problem: problems.get(name) ?? null,
          proposedPlace: troubles().get(name)?.proposed?.place ?? null,
          ...sumOf(held),
        };
      });
    },
    async check(caller) {
      const missing = lacksRole(caller, "admin");
      if (missing !== undefined) return missing;
      return Promise.all([...connectors().values()].map((connector) => checked(connector, onFault)));
    },
  };
}

async function checked(connector: Connector, onFault: (fault: unknown) => void): Promise<CheckedConnector> {
  const { name, kind } = connector;
  const findings = await findingsOf(connector).catch((fault: unknown): readonly CheckFinding[] => {
    onFault(fault);
    const what = fault instanceof ConnectorFault ? reasonOf(fault) : "it could not be checked";
    return [{ what: `${what}; the log says more`, result: "problem" }];
  });
  return { name, kind, result: worstOf(findings), findings };
}

function worstOf(findings: readonly CheckFinding[]): CheckResult {
  const found = new Set(findings.map(({ result }) => result));
  return found.has("problem") ? "problem" : found.has("not_verified") ? "not_verified" : "in_order";
}

async function findingsOf(connector: Connector): Promise<readonly CheckFinding[]> {
  const signal = AbortSignal.timeout(checkWithinMs);
  const { promise, reject } = Promise.withResolvers<never>();
  const giveUp = (): void =>
    reject(new ConnectorFault("timeout", "the check took too long", { retryable: true, isTargetDown: true }));
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    return await Promise.race([connector.check(signal), promise]);
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

function sumOf(inUse: readonly ConnectorInUse[]): Pick<ConnectorView, "targets" | "overdue"> {
  return {
    targets: inUse.reduce((sum, one) => sum + one.targets, 0),
    overdue: inUse.reduce((sum, one) => sum + one.overdue, 0),
  };
}

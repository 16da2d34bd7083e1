import { refuse, type Refusal } from "../core/refusals.ts";
import { secondMs } from "../core/time.ts";
import type { AbandonObject } from "./abandon-object.ts";
import { lacksRole, type Caller } from "./caller.ts";
import {
  ConnectorFault,
  type CheckFinding,
  type CheckResult,
  type Connector,
  type Connectors,
} from "./connector.ts";
import type { ServiceContext } from "./loading.ts";
import type { ConnectorInUse, TargetReads } from "./target-reads.ts";
import { reasonOf } from "./target-service.ts";

/** A connector of the configuration, and how much of ours may be there. */
export interface ConnectorView {
  readonly name: string;
  readonly kind: string;
  readonly place: string | null;
  readonly targets: number;
  readonly overdue: number;
}

export interface CheckedConnector {
  readonly name: string;
  readonly kind: string;
  /** The worst of its findings: a problem, then what is not verified. */
  readonly result: CheckResult;
  readonly findings: readonly CheckFinding[];
}

export interface ConnectorService {
  list(caller: Caller): Promise<readonly ConnectorView[] | Refusal>;
  /** Tries every target, side by side: rights, version, clock. */
  check(caller: Caller): Promise<readonly CheckedConnector[] | Refusal>;
  /** Gives up an object at a target that is lost for good. */
  readonly abandon: AbandonObject;
}

/** How long one target may take to be checked. */
const checkWithinMs = 10 * secondMs;

export function createConnectorService(
  { store, connectors }: Pick<ServiceContext, "store" | "connectors">,
  abandon: AbandonObject,
  onFault: (fault: unknown) => void,
): ConnectorService {
  return {
    abandon,
    async list(caller) {
      const missing = lacksRole(caller, "admin", "auditor");
      if (missing !== undefined) return missing;
      const inUse = await store.connectorsInUse();
      return [...connectors().values()].map(({ name, kind, place }) => ({
        name,
        kind,
        place: place ?? null,
        ...sumOf(inUse.filter((one) => one.connector === name)),
      }));
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

/**
 * Why these connectors must not be put in force: one that may still hold something of ours would be gone, or would be
 * looked for elsewhere, and then nobody could take it back. Undefined when they may.
 */
export async function unfitConnectors(
  store: Pick<TargetReads, "connectorsInUse">,
  connectors: Connectors,
): Promise<Refusal | undefined> {
  const complaints = (await store.connectorsInUse()).flatMap(({ connector, place, targets }) => {
    const next = connectors().get(connector);
    const held = `${targets} ${targets === 1 ? "object" : "objects"} of live or unfinished access`;
    if (next === undefined) {
      return [`the connector ${connector} still holds ${held}, so it cannot leave the configuration`];
    }
    const isMoved = place !== null && next.place !== undefined && next.place !== place;
    return isMoved
      ? [
          `the connector ${connector} still holds ${held} at ${place}, so it cannot be pointed at ${next.place}`,
        ]
      : [];
  });
  if (complaints.length === 0) return undefined;
  return refuse(
    "invalid_body",
    `${complaints.join("; ")}. End that access first (jit revoke-all), and wait until it is gone.`,
  );
}

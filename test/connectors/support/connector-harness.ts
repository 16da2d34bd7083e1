import { assertPresent } from "../../../src/core/values/assert.ts";
import { instant, makeId, type GrantId, type Instant } from "../../../src/core/values/ids.ts";
import { parseScope } from "../../../src/core/values/scopes.ts";
import { hourMs } from "../../../src/core/values/time.ts";
import type { Connector, IssuedTarget, TargetSpec } from "../../../src/service/ports/connector.ts";

/** A session opened with an issued secret. */
export interface TargetSession {
  /** Whether the data of the grant can be read right now. */
  readonly reads: () => Promise<boolean>;
  readonly close: () => Promise<void>;
}

/** A real server, with everything that the contract needs. */
export interface ConnectorHarness {
  /** A connector of this name, of the installation `instance`. */
  readonly connector: (options?: {
    readonly name?: string;
    readonly instance?: string;
  }) => Promise<Connector>;
  /** A connector that points at a closed port. */
  readonly unreachable: () => Promise<Connector>;
  /** Opens a session with the secret; undefined: it was rejected. */
  readonly openSession: (issued: IssuedTarget) => Promise<TargetSession | undefined>;
  /** Creates an object of this name that is not ours. */
  readonly makeForeign: (object: string) => Promise<void>;
  readonly hasForeignObject: (object: string) => Promise<boolean>;
  /** Changes by hand to an object of ours, and the drift that must be reported. */
  readonly tampering: readonly {
    readonly what: string;
    readonly byHand: (object: string) => Promise<void>;
    readonly reported: RegExp;
  }[];
  /** Removes an object of ours by hand, where that is possible. */
  readonly drop?: (object: string) => Promise<void>;
  /** A connector that points at this local port, if the target has a port. */
  readonly at?: (port: number) => Connector;
  /** The public key for issuing, if needed. */
  readonly sshPublicKey?: string;
  readonly stop: () => Promise<void>;
}

export interface TargetKind {
  readonly name: string;
  /** Why it cannot be tested on this machine. */
  readonly missing?: string;
  readonly start: () => Promise<ConnectorHarness>;
  /** Whether the target creates the object, so that another object can have its name. */
  readonly hasForeign: boolean;
  /** Whether the target ends open sessions. */
  readonly endsSessions: boolean;
}

let count = 0;

function newGrant(): GrantId {
  return makeId("grant", `t${process.pid}x${count++}`);
}

export function inOneHour(): Instant {
  return instant(Date.now() + hourMs);
}

export const readOrders = assertPresent(parseScope("read:prod:orders-db"), "scope");
export const never = (): AbortSignal => AbortSignal.timeout(30_000);

/** The spec that the service would commit before provisioning. */
export function specFor(connector: Connector, more: Partial<TargetSpec> = {}): TargetSpec {
  const grantId = more.grantId ?? newGrant();
  const served = assertPresent(connector.serves([readOrders]), "a connector for the scope");
  return {
    connector: connector.name,
    object: connector.objectOf(grantId),
    grantId,
    requestId: makeId("request", "r1"),
    subjectId: makeId("identity", "dev"),
    ...served,
    notAfter: inOneHour(),
    ...more,
  };
}

/** What a connector does with one object, in the order of its life; each may be cut off and repeated. */
export const connectorOperations: readonly ((to: Connector, spec: TargetSpec) => Promise<unknown>)[] = [
  (to, spec) => to.provision(spec, never()),
  (to, spec) => to.issue(spec, { expiresAt: spec.notAfter }, never()),
  (to, spec) => to.takeBack(spec, never()),
];

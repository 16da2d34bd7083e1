import { assertPresent } from "../../../src/core/values/assert.ts";
import { instant, makeId, type GrantId, type Instant } from "../../../src/core/values/ids.ts";
import { parseScope } from "../../../src/core/values/scopes.ts";
import { hourMs } from "../../../src/core/values/time.ts";
import type { Connector, IssuedTarget, TargetSpec } from "../../../src/service/ports/connector.ts";

/** Somebody who has come in with a credential. */
export interface Visitor {
  /** Whether what the grant is for can be read right now. */
  readonly reads: () => Promise<boolean>;
  readonly leave: () => Promise<void>;
}

/** A real server with everything the contract needs to know of it. */
export interface ConnectorHarness {
  /** As configured under this name, by the installation `instance`. */
  readonly connector: (given?: { readonly name?: string; readonly instance?: string }) => Promise<Connector>;
  /** The same, pointed at a place where nobody listens. */
  readonly unreachable: () => Promise<Connector>;
  /** Comes in from outside; undefined when the door stays shut. */
  readonly visit: (issued: IssuedTarget) => Promise<Visitor | undefined>;
  /** Makes an object that is not ours, under this very name. */
  readonly makeForeign: (object: string) => Promise<void>;
  readonly isForeignThere: (object: string) => Promise<boolean>;
  /** What somebody may do by hand to an object of ours, with a word of what is then to be reported. */
  readonly tampering: readonly {
    readonly what: string;
    readonly byHand: (object: string) => Promise<void>;
    readonly reported: RegExp;
  }[];
  /** Removes an object of ours behind our back, where that can be done. */
  readonly drop?: (object: string) => Promise<void>;
  /** The same, pointed at this port of this machine, where the target has one. */
  readonly at?: (port: number) => Connector;
  /** What issuing is given beside the end. */
  readonly sshPublicKey?: string;
  readonly stop: () => Promise<void>;
}

export interface Kind {
  readonly name: string;
  /** Why it cannot be tried here. */
  readonly missing?: string;
  readonly start: () => Promise<ConnectorHarness>;
  /** Whether it is the target that makes the object, so that there can be a foreign one of the same name. */
  readonly hasForeign: boolean;
  /** Whether a visitor who is in is thrown out by the target. */
  readonly endsSessions: boolean;
}

let count = 0;

/** A grant nobody had before. */
function newGrant(): GrantId {
  return makeId("grant", `t${process.pid}x${count++}`);
}

export function inOneHour(): Instant {
  return instant(Date.now() + hourMs);
}

export const readOrders = assertPresent(parseScope("read:prod:orders-db"), "scope");
export const never = (): AbortSignal => AbortSignal.timeout(30_000);

/** What the service would commit before anything is made. */
export function orderFor(connector: Connector, more: Partial<TargetSpec> = {}): TargetSpec {
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

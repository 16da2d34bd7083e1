import type { GrantId, Instant, Scope } from "../../core/values/ids.ts";
import type { ObjectIdentity, Rights, TargetSpec } from "../../core/access/target.ts";

export type { ObjectIdentity, Rights, TargetSpec };

/** An object that is to be gone. */
export interface ObjectToTakeBack extends Pick<TargetSpec, "connector" | "object" | "grantId"> {
  /** As it was when the object was made; absent when nobody knows. */
  readonly identity?: ObjectIdentity;
}

/** What stays at the target after a take-back, because removing it could destroy work. One sentence each. */
export interface TakenBack {
  readonly left: readonly string[];
}

/** What the requester gets of one target, shown once and kept nowhere. */
export interface IssuedTarget {
  readonly connector: string;
  readonly kind: string;
  /** Where: `host:port/database`, a host pattern, … */
  readonly where: string;
  readonly username: string;
  /** A password, a certificate; null when there is none to show. */
  readonly secret: string | null;
  readonly expiresAt: Instant;
  /** A line ready to be run, without the secret in it where the tool can ask for it. */
  readonly command: string | null;
}

/** One object that bears our label, as the target itself lists it. */
export interface ListedObject {
  readonly object: string;
  /** From its label; null when the label cannot be read. */
  readonly grantId: GrantId | null;
  readonly notAfter: Instant | null;
  /** What differs from what its label says it should be: rights added by hand, an end moved. One sentence each. */
  readonly drift: readonly string[];
  /** Where the kind knows one. */
  readonly identity?: ObjectIdentity;
}

/**
 * - in_order: looked at or tried, and as it should be.
 * - problem: access cannot be given or taken back, or gives more than it should.
 * - not_verified: cannot be tried without a change, or is out of reach. Never reported as in order.
 */
export const checkResults = ["in_order", "problem", "not_verified"] as const;
export type CheckResult = (typeof checkResults)[number];

/** One thing that a check looked at, and what to do about it. */
export interface CheckFinding {
  readonly what: string;
  readonly result: CheckResult;
  /** SQL, commands or file lines that fix it, or that let the check verify it. */
  readonly fix?: string;
}

/** A running system, to tell whether two addresses lead to the same one. */
export interface RunningSystem {
  /** Different for any two that run, also for a copy. */
  readonly instance: string;
  /** False: a replica, at which nothing can be taken back. */
  readonly isWritable: boolean;
}

/**
 * A kind of target at one place. The four verbs are idempotent by the grant's id and throw a {@link ConnectorFault} when
 * they could not. `signal` ends an attempt that takes too long.
 */
export interface Connector {
  readonly name: string;
  readonly kind: string;
  /**
   * Which system this is, without secrets: `host:port/database`, a file. Kept with every order, so that a connector
   * with live grants cannot be pointed elsewhere, where nothing would be found to take back.
   */
  readonly place?: string;
  /** Nothing can be issued here without the requester's public key. */
  readonly needsSshPublicKey?: boolean;
  /** The part of these scopes it serves, with the rights they stand for; undefined: none. Pure. */
  serves(
    scopes: readonly Scope[],
  ): { readonly scopes: readonly Scope[]; readonly rights: Rights } | undefined;
  /** The actions it has for this resource of a scope; none: it does not serve the resource. Pure. */
  actionsOn(resource: string): readonly string[];
  /** The object's name for a grant. Pure. */
  objectOf(grantId: GrantId): string;
  /** Makes sure it exists, labelled, with its rights. Called again with a later `notAfter`: an extension. */
  provision(spec: TargetSpec, signal: AbortSignal): Promise<ObjectIdentity | void>;
  /** Mints the secret now, for its reader, and sets the exact end. Again: a new secret, the old one is dead. */
  issue(
    spec: TargetSpec,
    ask: { readonly expiresAt: Instant; readonly sshPublicKey?: string },
    signal: AbortSignal,
  ): Promise<IssuedTarget>;
  /** Makes sure it is gone, with its live sessions. Absent is success. */
  takeBack(object: ObjectToTakeBack, signal: AbortSignal): Promise<TakenBack | void>;
  /** Everything there that bears our label. */
  listManaged(signal: AbortSignal): Promise<readonly ListedObject[]>;
  /** Rights of the broker, version, clock difference. Changes nothing at the target. */
  check(signal: AbortSignal): Promise<readonly CheckFinding[]>;
  /** Where the kind can tell. */
  system?(signal: AbortSignal): Promise<RunningSystem>;
  close(): Promise<void>;
}

/** The connectors of this moment, by their names. */
export type Connectors = () => ReadonlyMap<string, Connector>;

/** A target could not do it. Never shown raw. */
export class ConnectorFault extends Error {
  override readonly name = "ConnectorFault";
  readonly code: "unreachable" | "timeout" | "not_permitted" | "refused" | "foreign_object" | "invalid_input";
  /** False: trying again changes nothing until somebody mends the target or the configuration. */
  readonly retryable: boolean;
  /** True: nobody gets through to this target at the moment; others wait for one probe instead of storming it. */
  readonly isTargetDown: boolean;
  /** True: the target itself said no. It is alive, even where nobody gets through, as with no connection left. */
  readonly hasAnswered: boolean;
  /** Why, for people: one clause without secrets. Absent: only what the code says is known. */
  readonly reason: string | undefined;

  constructor(
    code: ConnectorFault["code"],
    message: string,
    {
      retryable,
      isTargetDown = false,
      hasAnswered = !isTargetDown,
      reason,
    }: {
      readonly retryable: boolean;
      readonly isTargetDown?: boolean;
      readonly hasAnswered?: boolean;
      readonly reason?: string | undefined;
    },
  ) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.retryable = retryable;
    this.isTargetDown = isTargetDown;
    this.hasAnswered = hasAnswered;
  }
}

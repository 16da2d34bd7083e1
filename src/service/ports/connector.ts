import type { GrantId, Instant, Scope } from "../../core/values/ids.ts";
import type { ObjectIdentity, Rights, TargetSpec } from "../../core/access/target.ts";

export type { ObjectIdentity, Rights, TargetSpec };

/** An object that must be removed. */
export interface ObjectToTakeBack extends Pick<TargetSpec, "connector" | "object" | "grantId"> {
  /** As it was when the object was created; absent when unknown. */
  readonly identity?: ObjectIdentity;
}

/** What a take-back leaves at the target, because removing it could destroy work. One sentence each. */
export interface TakenBack {
  readonly left: readonly string[];
}

/** What the requester gets from one target. It is shown once and stored nowhere. */
export interface IssuedTarget {
  readonly connector: string;
  readonly kind: string;
  /** For example `host:port/database` or a host pattern. */
  readonly where: string;
  readonly username: string;
  /** A password, a certificate; null when there is none to show. */
  readonly secret: string | null;
  readonly expiresAt: Instant;
  /** A command line to run. It omits the secret where the tool can prompt for it. */
  readonly command: string | null;
}

/** One object with our label, as the target lists it. */
export interface ListedObject {
  readonly object: string;
  /** From its label; null when the label cannot be read. */
  readonly grantId: GrantId | null;
  readonly notAfter: Instant | null;
  /** How it differs from its label: rights added by hand, an end that was moved. One sentence each. */
  readonly drift: readonly string[];
  /** Where this kind of target has one. */
  readonly identity?: ObjectIdentity;
}

/**
 * - in_order: checked or tried, and correct.
 * - problem: access cannot be provided or taken back, or provides more than it should.
 * - not_verified: cannot be tried without a change, or is unreachable. Never reported as in order.
 */
export const checkResults = ["in_order", "problem", "not_verified"] as const;
export type CheckResult = (typeof checkResults)[number];

/** One result of a check, and what to do about it. */
export interface CheckFinding {
  readonly what: string;
  readonly result: CheckResult;
  /** SQL, commands or file lines that fix it, or that let the check verify it. */
  readonly fix?: string;
}

/** A running system, to decide whether two addresses lead to the same one. */
export interface RunningSystem {
  /** Different for any two running systems, also for a copy. */
  readonly instance: string;
  /** False for a replica, where nothing can be taken back. */
  readonly isWritable: boolean;
}

/**
 * Access to one target. The four verbs are idempotent by the grant's id, and throw a {@link ConnectorFault} when they
 * fail. `signal` aborts an attempt that takes too long.
 */
export interface Connector {
  readonly name: string;
  readonly kind: string;
  /**
   * Which system this is, without secrets: `host:port/database`, a file. It is stored with every target spec. A
   * connector with live grants cannot be moved to another system, where their objects could not be taken back.
   */
  readonly place?: string;
  /** Issuing requires the requester's public key. */
  readonly needsSshPublicKey?: boolean;
  /** Which of these scopes it serves, with the rights they mean; undefined: none. Pure. */
  serves(
    scopes: readonly Scope[],
  ): { readonly scopes: readonly Scope[]; readonly rights: Rights } | undefined;
  /** The actions it offers on this resource of a scope; empty when it does not serve the resource. Pure. */
  actionsOn(resource: string): readonly string[];
  /** The object's name for a grant. Pure. */
  objectOf(grantId: GrantId): string;
  /** Ensures that it exists, labelled, with its rights. Called again with a later `notAfter` for an extension. */
  provision(spec: TargetSpec, signal: AbortSignal): Promise<ObjectIdentity | void>;
  /** Creates the secret for its reader and sets the exact end. Called again, it replaces the secret. */
  issue(
    spec: TargetSpec,
    ask: { readonly expiresAt: Instant; readonly sshPublicKey?: string },
    signal: AbortSignal,
  ): Promise<IssuedTarget>;
  /** Ensures that it is removed, with its live sessions. Absent is success. */
  takeBack(object: ObjectToTakeBack, signal: AbortSignal): Promise<TakenBack | void>;
  /** Everything at the target with our label. */
  listManaged(signal: AbortSignal): Promise<readonly ListedObject[]>;
  /** Checks our own rights, the version and the clock difference. Changes nothing at the target. */
  check(signal: AbortSignal): Promise<readonly CheckFinding[]>;
  /** Absent where this kind of target cannot tell. */
  system?(signal: AbortSignal): Promise<RunningSystem>;
  close(): Promise<void>;
}

/** The connectors in force, by name. */
export type Connectors = () => ReadonlyMap<string, Connector>;

/** A call to a target failed. Never shown to people as it is. */
export class ConnectorFault extends Error {
  override readonly name = "ConnectorFault";
  readonly code: "unreachable" | "timeout" | "not_permitted" | "refused" | "foreign_object" | "invalid_input";
  /** False: retrying is useless until somebody fixes the target or the configuration. */
  readonly retryable: boolean;
  /** True: the target is unreachable for everyone. Other calls wait for a single probe. */
  readonly isTargetDown: boolean;
  /** True: the target itself refused. It is running, even if it accepts nobody, for example with no connection left. */
  readonly hasAnswered: boolean;
  /** The reason for people: one clause without secrets. Absent when only the code is known. */
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

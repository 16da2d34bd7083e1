import type { GrantId, IdentityId, Instant, RequestId, Scope } from "../core/ids.ts";

/** What a connector's configuration says about an action, frozen with the grant: roles, principals, patterns. */
export type Rights = Readonly<Record<string, readonly string[]>>;

/**
 * One object of ours at a real system, as committed before it exists there. It holds everything that is needed to take
 * it back, so that editing a policy or a person never makes it irrevocable. No secret.
 */
export interface TargetOrder {
  /** The connector's name in the configuration. */
  readonly connector: string;
  /** The object's name at the target: a pure function of the grant's id, found before it is made. */
  readonly object: string;
  readonly grantId: GrantId;
  readonly requestId: RequestId;
  readonly subjectId: IdentityId;
  /** Those of the grant's scopes that this connector serves. */
  readonly scopes: readonly Scope[];
  readonly rights: Rights;
  /** The latest end this object may have: its label and the target's own expiry say so. */
  readonly notAfter: Instant;
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
}

/** One thing that was looked at, and what to do about it. */
export interface CheckFinding {
  readonly what: string;
  readonly ok: boolean;
  /** SQL or file lines that fix it. */
  readonly fix?: string;
}

/**
 * A kind of target at one place. The four verbs are idempotent by the grant's id and throw a {@link ConnectorFault} when
 * they could not. `signal` ends an attempt that takes too long.
 */
export interface Connector {
  readonly name: string;
  readonly kind: string;
  /** The part of these scopes it serves, with the rights they stand for; undefined: none. Pure. */
  serves(
    scopes: readonly Scope[],
  ): { readonly scopes: readonly Scope[]; readonly rights: Rights } | undefined;
  /** The object's name for a grant. Pure. */
  objectOf(grantId: GrantId): string;
  /** Makes sure it exists, labelled, with its rights. Called again with a later `notAfter`: an extension. */
  provision(order: TargetOrder, signal: AbortSignal): Promise<void>;
  /** Mints the secret now, for its reader, and sets the exact end. Again: a new secret, the old one is dead. */
  issue(
    order: TargetOrder,
    ask: { readonly expiresAt: Instant; readonly sshPublicKey?: string },
    signal: AbortSignal,
  ): Promise<IssuedTarget>;
  /** Makes sure it is gone, with its live sessions. Absent is success. */
  takeBack(order: Pick<TargetOrder, "connector" | "object" | "grantId">, signal: AbortSignal): Promise<void>;
  /** Everything there that bears our label. */
  listOurs(signal: AbortSignal): Promise<readonly ListedObject[]>;
  /** Rights of the broker, version, clock difference. */
  check(signal: AbortSignal): Promise<readonly CheckFinding[]>;
  close(): Promise<void>;
}

/** A target could not do it. Never shown raw. */
export class ConnectorFault extends Error {
  override readonly name = "ConnectorFault";
  readonly code: "unreachable" | "timeout" | "not_permitted" | "refused" | "foreign_object" | "invalid_input";
  /** False: trying again changes nothing until somebody mends the target or the configuration. */
  readonly retryable: boolean;
  /** True: nobody gets through to this target at the moment; others wait for one probe instead of storming it. */
  readonly isTargetDown: boolean;

  constructor(
    code: ConnectorFault["code"],
    message: string,
    { retryable, isTargetDown = false }: { readonly retryable: boolean; readonly isTargetDown?: boolean },
  ) {
    super(message);
    this.code = code;
    this.retryable = retryable;
    this.isTargetDown = isTargetDown;
  }
}

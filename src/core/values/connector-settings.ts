import type { Scope } from "./ids.ts";
import { actionOf, resourceOf } from "./scopes.ts";

/** The configuration of one connector. It holds resolved secrets: never log or store a whole one. */
export type ConnectorSettings = PostgresSettings | SshSettings | RedisSettings | WebhookSettings;

interface Shared<Kind extends string, Action> {
  readonly kind: Kind;
  readonly name: string;
  /** Compared exactly with the resource of a scope. */
  readonly resources: readonly string[];
  /** What each action of a scope grants at the target. */
  readonly actions: Readonly<Record<string, Action>>;
}

/** Creates a login role for each grant, a member of the action's roles. */
export interface PostgresSettings extends Shared<"postgres", { readonly roles: readonly string[] }> {
  /** `postgres://broker:password@host:port/database`. */
  readonly url: string;
  /** The address people are shown when they connect by another route than we do; absent: the url's `host:port`. */
  readonly address?: string;
  /**
   * The role that receives the objects of dropped roles. It may own code that users wrote, so it must have no rights.
   */
  readonly leftoversOwner: string;
}

/** Signs a user certificate for each grant, valid for the action's principals. */
export interface SshSettings extends Shared<"ssh", { readonly principals: readonly string[] }> {
  /** The CA's private key, ed25519, mode 0600. */
  readonly caKeyFile: string;
  /** The revocation list we write and every sshd reads (`RevokedKeys`). Our ledger is kept beside it. */
  readonly krlFile: string;
  /** Host names or patterns, for display only. */
  readonly hosts: readonly string[];
  /** The account to log in to; absent: the first principal. */
  readonly user?: string;
  readonly forceCommand?: string;
  /** Addresses or ranges from which the certificate may be used. */
  readonly sourceAddress?: readonly string[];
  /** An executable that runs after every take-back, with the grant's id and the revoked serials. */
  readonly hook?: string;
}

/** The keys and channels an action may use, and the commands. */
export interface RedisAction {
  /** Key patterns. */
  readonly keys: readonly string[];
  /** Pub/sub channel patterns. */
  readonly channels: readonly string[];
  /** Redis ACL rules such as `+@read`, `+get` or `-@slow`. */
  readonly commands: readonly string[];
}

/** Creates an ACL user for each grant, with a selector for each action. */
export interface RedisSettings extends Shared<"redis", RedisAction> {
  /** `redis://broker:password@host:port`. */
  readonly url: string;
  readonly address?: string;
  /** Whether to run `ACL SAVE` after each change; requires an `aclfile`. */
  readonly aclSave: boolean;
}

/** Calls a receiver that the operator runs, and passes it the action's rights. */
export interface WebhookSettings extends Shared<"webhook", { readonly rights: readonly string[] }> {
  readonly url: string;
  /** `whsec_…`. */
  readonly secret: string;
  /** Whether the receiver may have a private address and be called without TLS. */
  readonly allowPrivate: boolean;
}

/** The actions the connector offers on a resource; empty for a resource it does not serve. */
export function actionsOn(
  { resources, actions }: Pick<ConnectorSettings, "resources" | "actions">,
  resource: string,
): readonly string[] {
  return resources.includes(resource) ? Object.keys(actions) : [];
}

/** The scopes whose resource and action the connector serves. */
export function servedScopes(
  { resources, actions }: Pick<ConnectorSettings, "resources" | "actions">,
  scopes: readonly Scope[],
): readonly Scope[] {
  return scopes.filter(
    (scope) => resources.includes(resourceOf(scope)) && Object.hasOwn(actions, actionOf(scope)),
  );
}

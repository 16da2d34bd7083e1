import type { Scope } from "./ids.ts";
import { actionOf, resourceOf } from "./scopes.ts";

/** What the operator says about one place where access is given. Secrets are resolved: never log or store one whole. */
export type ConnectorSettings = PostgresSettings | SshSettings | RedisSettings | WebhookSettings;

interface Shared<Kind extends string, Action> {
  readonly kind: Kind;
  readonly name: string;
  /** Compared exactly with the resource of a scope. */
  readonly resources: readonly string[];
  /** By the action of a scope: what it stands for at the target. */
  readonly actions: Readonly<Record<string, Action>>;
}

/** A login role for each grant, member of the action's roles. */
export interface PostgresSettings extends Shared<"postgres", { readonly roles: readonly string[] }> {
  /** `postgres://broker:password@host:port/database`. */
  readonly url: string;
  /** What people are shown instead of the url's `host:port`, when they come another way than we do. */
  readonly address?: string;
  /** Who gets what a role of ours owned. It runs code of strangers: it must be able to do nothing. */
  readonly leftoversOwner: string;
}

/** A user certificate for each grant, for the action's principals. */
export interface SshSettings extends Shared<"ssh", { readonly principals: readonly string[] }> {
  /** The CA's private key, ed25519, mode 0600. */
  readonly caKeyFile: string;
  /** Written by us, read by every sshd (`RevokedKeys`). Our ledger lies beside it. */
  readonly krlFile: string;
  /** Host names or patterns, to be shown. */
  readonly hosts: readonly string[];
  /** The account to log in to; absent: the first principal. */
  readonly user?: string;
  readonly forceCommand?: string;
  /** Addresses or ranges the certificate may be used from. */
  readonly sourceAddress?: readonly string[];
  /** An executable, run after every take-back with the grant's id and the revoked serials. */
  readonly hook?: string;
}

/** What an action may touch, and with which commands. */
export interface RedisAction {
  /** Key patterns. */
  readonly keys: readonly string[];
  /** Pub/sub channel patterns. */
  readonly channels: readonly string[];
  /** `+@read`, `+get`, `-@slow`, in Redis's own words. */
  readonly commands: readonly string[];
}

/** An ACL user for each grant, with a selector for each action. */
export interface RedisSettings extends Shared<"redis", RedisAction> {
  /** `redis://broker:password@host:port`. */
  readonly url: string;
  readonly address?: string;
  /** Whether to `ACL SAVE` after each change; needs an `aclfile`. */
  readonly aclSave: boolean;
}

/** Whatever a receiver of the operator's makes; the action's rights are passed on to it. */
export interface WebhookSettings extends Shared<"webhook", { readonly rights: readonly string[] }> {
  readonly url: string;
  /** `whsec_…`. */
  readonly secret: string;
  /** Whether the receiver may have a private address, and be spoken to without TLS. */
  readonly allowPrivate: boolean;
}

/** The actions that a resource of the connector has; none for any other. */
export function actionsOn(
  { resources, actions }: Pick<ConnectorSettings, "resources" | "actions">,
  resource: string,
): readonly string[] {
  return resources.includes(resource) ? Object.keys(actions) : [];
}

/** Those of `scopes` that name one of the connector's resources with one of its actions. */
export function servedScopes(
  { resources, actions }: Pick<ConnectorSettings, "resources" | "actions">,
  scopes: readonly Scope[],
): readonly Scope[] {
  return scopes.filter(
    (scope) => resources.includes(resourceOf(scope)) && Object.hasOwn(actions, actionOf(scope)),
  );
}

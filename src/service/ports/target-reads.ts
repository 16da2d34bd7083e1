import type { AccessRequest } from "../../core/access/access-request.ts";
import type { Grant } from "../../core/access/grant.ts";
import type { GrantId, Instant } from "../../core/values/ids.ts";

/** A grant with the request it belongs to. */
export interface GrantWithRequest {
  readonly grant: Grant;
  readonly version: number;
  readonly request: AccessRequest;
}

/** One target of a grant. */
export interface TargetNamed {
  readonly grantId: GrantId;
  readonly connector: string;
}

/** A connector that may still hold something of ours, at one place. */
export interface ConnectorInUse {
  readonly connector: string;
  /** As it was ordered; null when the connector named none. */
  readonly place: string | null;
  /** How many objects may be there. */
  readonly targets: number;
  /** How many of them are overdue to be gone. */
  readonly overdue: number;
}

export interface TakeBacks {
  /** To be taken back and not confirmed gone. */
  readonly waiting: number;
  readonly overdue: number;
  /** When the oldest of what is overdue should have begun to go. */
  readonly oldestOverdueSince: Instant | null;
}

/** Reads about what may be at targets. */
export interface TargetReads {
  /** A grant, be it its request's latest or an abandoned one. */
  grant(id: GrantId): Promise<GrantWithRequest | undefined>;
  connectorsInUse(): Promise<readonly ConnectorInUse[]>;
  /** At most `limit` that are to be gone since `since` or before and are not called overdue yet, the oldest first. */
  becomingOverdue(since: Instant, limit: number): Promise<readonly TargetNamed[]>;
  /** At most `limit` at this connector that are to be gone since `since` or before, the oldest first. */
  toTakeBackAt(connector: string, since: Instant, limit: number): Promise<readonly TargetNamed[]>;
  /** At most `limit` grants in the order of their ids, from `after` on, whose objects are to be at this connector. */
  grantsAt(connector: string, limit: number, after?: GrantId): Promise<readonly Grant[]>;
  takeBacks(): Promise<TakeBacks>;
}

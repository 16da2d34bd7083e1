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

/** A connector that may still hold objects of ours, at one place. */
export interface ConnectorInUse {
  readonly connector: string;
  /** As it was when they were ordered; null when the connector named none. */
  readonly place: string | null;
  /** How many objects may be there. */
  readonly targets: number;
  /** How many of them should have been removed by now. */
  readonly overdue: number;
}

export interface TakeBacks {
  /** To be taken back and not confirmed as removed. */
  readonly waiting: number;
  readonly overdue: number;
  /** When the oldest overdue take-back became due. */
  readonly oldestOverdueSince: Instant | null;
}

/** Reads about objects that may be at targets. */
export interface TargetReads {
  /** Any grant: the latest of its request, or an abandoned one. */
  grant(id: GrantId): Promise<GrantWithRequest | undefined>;
  connectorsInUse(): Promise<readonly ConnectorInUse[]>;
  /** At most `limit` due to be removed at `since` or before and not recorded as overdue yet, oldest first. */
  becomingOverdue(since: Instant, limit: number): Promise<readonly TargetNamed[]>;
  /** At most `limit` at this connector due to be removed at `since` or before, oldest first. */
  toTakeBackAt(connector: string, since: Instant, limit: number): Promise<readonly TargetNamed[]>;
  /** At most `limit` grants after `after`, ordered by id, whose objects should exist at this connector. */
  grantsAt(connector: string, limit: number, after?: GrantId): Promise<readonly Grant[]>;
  takeBacks(): Promise<TakeBacks>;
}

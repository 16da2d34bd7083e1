import type { AccessRequest } from "../../../core/access/access-request.ts";
import type { Grant } from "../../../core/access/grant.ts";
import { instant } from "../../../core/values/ids.ts";
import type * as Ids from "../../../core/values/ids.ts";
import type { Policy, Rules } from "../../../core/policy/policy.ts";
import type { TargetState } from "../../../core/access/target.ts";
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/*
 * The tables. A record is kept whole, as the JSON of its domain value, beside its version; every other column is there
 * because something is looked up by it and is derived from the value in the same write. `ord` is the order of arrival,
 * which lists run backwards and cursors count in. The JSON comes last, so that no lookup reads past it.
 */

export { apiKeys, identities, identityGroups } from "./schema-identities.ts";
export { deliveries, cursors, outbox, surfaceAddresses } from "./schema-outbox.ts";

/** Access requests. `status` and `lapsesAt` are those of the outside status: after the claim, the grant's. */
export const requests = sqliteTable(
  "requests",
  {
    ord: integer("ord").primaryKey(),
    id: text("id").$type<Ids.RequestId>().notNull().unique(),
    version: integer("version").notNull(),
    subjectId: text("subject_id").$type<Ids.IdentityId>().notNull(),
    requestedById: text("requested_by_id").$type<Ids.IdentityId>().notNull(),
    requestedAt: integer("requested_at").$type<Ids.Instant>().notNull(),
    /** The latest `requestedAt` of any request up to this one: never falls, though the clock may have been lowered. */
    latestAt: integer("latest_at").$type<Ids.Instant>().notNull().default(instant(0)),
    /** As written; the clock may already say more, see `lapsesAt`. */
    status: text("status").notNull(),
    /** When the clock alone ends this status; null when it never does. */
    lapsesAt: integer("lapses_at").$type<Ids.Instant>(),
    /** When a sweep must look at it next. */
    dueAt: integer("due_at").$type<Ids.Instant>(),
    /** The grant it led to, or the one that is being prepared now. Earlier ones of this request were abandoned. */
    grantId: text("grant_id").$type<Ids.GrantId>(),
    /** For an extension: the grant it would prolong. */
    extendsGrantId: text("extends_grant_id").$type<Ids.GrantId>(),
    /** Set while it waits for more approvers than there are. */
    strandedSince: integer("stranded_since").$type<Ids.Instant>(),
    deniedAt: integer("denied_at").$type<Ids.Instant>(),
    /** A break-glass use whose access has started. */
    brokeGlass: integer("broke_glass", { mode: "boolean" }).notNull(),
    /** When its last review was given, if that says justified. */
    justifiedAt: integer("justified_at").$type<Ids.Instant>(),
    value: text("value", { mode: "json" }).$type<AccessRequest>().notNull(),
  },
  (table) => [
    index("requests_open")
      .on(table.subjectId, table.status, table.lapsesAt, table.id)
      .where(sql`status IN ('PENDING', 'APPROVED', 'ACTIVE')`),
    index("requests_by_subject_time").on(table.subjectId, table.requestedAt),
    index("requests_by_subject").on(table.subjectId),
    index("requests_by_subject_status").on(table.subjectId, table.status),
    index("requests_by_asker").on(table.requestedById),
    index("requests_by_asker_status").on(table.requestedById, table.status),
    index("requests_by_status").on(table.status),
    index("requests_lapsing")
      .on(table.status, table.lapsesAt)
      .where(sql`lapses_at IS NOT NULL`),
    index("requests_by_time").on(table.latestAt),
    index("requests_out_of_order")
      .on(table.ord)
      .where(sql`requested_at < latest_at`),
    index("requests_due")
      .on(table.dueAt)
      .where(sql`due_at IS NOT NULL`),
    index("requests_by_extended")
      .on(table.extendsGrantId)
      .where(sql`extends_grant_id IS NOT NULL`),
    index("requests_stranded")
      .on(table.lapsesAt)
      .where(sql`stranded_since IS NOT NULL`),
    index("requests_by_denial")
      .on(table.subjectId, table.deniedAt)
      .where(sql`denied_at IS NOT NULL`),
    index("requests_open_reviews")
      .on(table.ord)
      .where(sql`broke_glass = 1 AND justified_at IS NULL`),
    index("requests_by_break_glass")
      .on(table.subjectId)
      .where(sql`broke_glass = 1`),
  ],
);

export const requestScopes = sqliteTable(
  "request_scopes",
  {
    scope: text("scope").$type<Ids.Scope>().notNull(),
    requestOrd: integer("request_ord")
      .notNull()
      .references(() => requests.ord),
    /** The request's, so that one index finds both. */
    status: text("status").notNull().default(""),
  },
  (table) => [
    primaryKey({ columns: [table.scope, table.requestOrd] }),
    index("request_scopes_by_status").on(table.scope, table.status, table.requestOrd),
    index("request_scopes_by_request").on(table.requestOrd),
  ],
);

/** Whom a request may concern: each selector of its stages, escalation included, else of its break-glass review. */
export const requestSelectors = sqliteTable(
  "request_selectors",
  {
    /** As `selectorKey` writes it. */
    selector: text("selector").notNull(),
    requestOrd: integer("request_ord")
      .notNull()
      .references(() => requests.ord),
    part: text("part").$type<"stage" | "review">().notNull(),
    /** The request's, so that one index finds both. */
    status: text("status").notNull().default(""),
  },
  (table) => [
    primaryKey({ columns: [table.selector, table.requestOrd] }),
    index("request_selectors_by_part").on(table.selector, table.part, table.requestOrd),
    index("request_selectors_by_status").on(table.selector, table.part, table.status, table.requestOrd),
    index("request_selectors_by_request").on(table.requestOrd),
  ],
);

export const grants = sqliteTable(
  "grants",
  {
    ord: integer("ord").primaryKey(),
    id: text("id").$type<Ids.GrantId>().notNull().unique(),
    version: integer("version").notNull(),
    requestId: text("request_id")
      .$type<Ids.RequestId>()
      .notNull()
      .references(() => requests.id),
    subjectId: text("subject_id").$type<Ids.IdentityId>().notNull(),
    phase: text("phase").$type<Grant["phase"]>().notNull(),
    /** When time alone ends what it is: for a live one its end, for a prepared one when it is given up. */
    expiresAt: integer("expires_at").$type<Ids.Instant>().notNull(),
    value: text("value", { mode: "json" }).$type<Grant>().notNull(),
  },
  (table) => [
    index("grants_due")
      .on(table.expiresAt, table.phase)
      .where(sql`phase IN ('PREPARING', 'ACTIVE')`),
  ],
);

/** What may be at a target, as long as it may: what is cleared has no row. Grants without targets have none. */
export const grantTargets = sqliteTable(
  "grant_targets",
  {
    grantId: text("grant_id")
      .$type<Ids.GrantId>()
      .notNull()
      .references(() => grants.id),
    connector: text("connector").notNull(),
    place: text("place"),
    state: text("state").$type<TargetState>().notNull(),
    /** The grant is over, and this is to be taken back since then; null while it is to be there. */
    overSince: integer("over_since").$type<Ids.Instant>(),
  },
  (table) => [
    primaryKey({ columns: [table.grantId, table.connector] }),
    index("grant_targets_by_connector").on(table.connector, table.overSince, table.grantId),
    index("grant_targets_by_place").on(table.connector, table.place, table.state),
    index("grant_targets_over")
      .on(table.overSince, table.state)
      .where(sql`over_since IS NOT NULL`),
  ],
);

/** Starts of access, for conditions that ask for earlier access. */
export const grantScopes = sqliteTable(
  "grant_scopes",
  {
    grantId: text("grant_id")
      .$type<Ids.GrantId>()
      .notNull()
      .references(() => grants.id),
    requestId: text("request_id").$type<Ids.RequestId>().notNull(),
    subjectId: text("subject_id").$type<Ids.IdentityId>().notNull(),
    scope: text("scope").$type<Ids.Scope>().notNull(),
    startedAt: integer("started_at").$type<Ids.Instant>().notNull(),
    breakGlass: integer("break_glass", { mode: "boolean" }).notNull(),
  },
  (table) => [index("grant_scopes_by_start").on(table.subjectId, table.scope, table.startedAt)],
);

/**
 * Every credential a grant ever had; at most one of them is current. Kept in the order of their hashes (WITHOUT ROWID,
 * which the migration says and Drizzle cannot): every check looks one up by it. What a check answers and never changes
 * stands here, for to read the grant's JSON takes longer than all the rest; what changes is read from the grant's columns.
 */
export const credentials = sqliteTable(
  "credentials",
  {
    id: text("id").$type<Ids.CredentialId>().notNull().unique(),
    /** The number of its grant, not the name: one look-up less at every check. */
    grantOrd: integer("grant_ord")
      .notNull()
      .references(() => grants.ord),
    hash: text("hash").primaryKey(),
    last4: text("last4").notNull(),
    issuedAt: integer("issued_at").$type<Ids.Instant>().notNull(),
    current: integer("current", { mode: "boolean" }).notNull(),
    firstUsedAt: integer("first_used_at").$type<Ids.Instant>(),
    /** The grant's scopes, separated by spaces. */
    scope: text("scope").notNull(),
    startedAt: integer("started_at").$type<Ids.Instant>().notNull(),
    breakGlass: integer("break_glass", { mode: "boolean" }).notNull(),
  },
  (table) => [index("credentials_by_grant").on(table.grantOrd)],
);

export const policies = sqliteTable("policies", {
  ord: integer("ord").primaryKey(),
  id: text("id").$type<Ids.PolicyId>().notNull().unique(),
  value: text("value", { mode: "json" }).$type<Policy>().notNull(),
});

/** One row. */
export const rulebook = sqliteTable("rulebook", {
  id: text("id").$type<"rulebook">().primaryKey(),
  version: integer("version").notNull(),
  source: text("source").$type<"file" | "example">(),
  lockdown: integer("lockdown", { mode: "boolean" }).notNull(),
  rules: text("rules", { mode: "json" }).$type<Rules>().notNull(),
});

/** One row: the latest time of any commit, below which the clock never goes again. */
export const clockMark = sqliteTable("clock_mark", {
  id: text("id").$type<"clock">().primaryKey(),
  at: integer("at").$type<Ids.Instant>().notNull(),
});

/** Names that only one owner may hold. */
export const uniqueNames = sqliteTable("unique_names", {
  name: text("name").primaryKey(),
  owner: text("owner").notNull(),
});

/** Counters for ever, and gauges that also go down. */
export const counters = sqliteTable("counters", {
  key: text("key").primaryKey(),
  used: integer("used").notNull(),
});

/** Counters of a window: one row for each use. */
export const counterUses = sqliteTable(
  "counter_uses",
  {
    key: text("key").notNull(),
    at: integer("at").$type<Ids.Instant>().notNull(),
  },
  (table) => [index("counter_uses_by_time").on(table.key, table.at)],
);

/** Kept answers of calls with an Idempotency-Key. */
export const idempotencyRecords = sqliteTable(
  "answers",
  {
    keyId: text("key_id").$type<Ids.KeyId>().notNull(),
    call: text("call").notNull(),
    idempotencyKey: text("idempotency_key").notNull(),
    bodyHash: text("body_hash").notNull(),
    status: integer("status").notNull(),
    body: text("body").notNull(),
    at: integer("at").$type<Ids.Instant>().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.keyId, table.call, table.idempotencyKey] }),
    index("answers_by_time").on(table.at),
  ],
);

/** The audit chain (contract 6). The last two columns are read out of `body`, so that they can never disagree. */
export const auditEvents = sqliteTable(
  "audit_events",
  {
    seq: integer("seq").primaryKey(),
    body: text("body").notNull(),
    hash: text("hash").notNull(),
    request: text("request").generatedAlwaysAs(
      sql`(CASE WHEN json_valid(body) THEN json_extract(body, '$.request') END)`,
      { mode: "virtual" },
    ),
    action: text("action").generatedAlwaysAs(
      sql`(CASE WHEN json_valid(body) THEN json_extract(body, '$.action') END)`,
      { mode: "virtual" },
    ),
  },
  (table) => [
    index("by_audited_request").on(table.request),
    index("by_audited_action").on(table.action),
    index("by_audited_request_action").on(table.request, table.action),
  ],
);

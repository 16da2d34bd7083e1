import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { AccessRequest } from "../../../core/access/access-request.ts";
import type { GrantId, IdentityId, Instant, RequestId } from "../../../core/values/ids.ts";

/** Access requests. After the claim, `status` and `lapsesAt` are those of the grant, as the API shows them. */
export const requests = sqliteTable(
  "requests",
  {
    ord: integer("ord").primaryKey(),
    id: text("id").$type<RequestId>().notNull().unique(),
    version: integer("version").notNull(),
    subjectId: text("subject_id").$type<IdentityId>().notNull(),
    requestedById: text("requested_by_id").$type<IdentityId>().notNull(),
    requestedAt: integer("requested_at").$type<Instant>().notNull(),
    /** The latest `requestedAt` of any request up to this one: it never falls, even if the clock was set back. */
    latestAt: integer("latest_at").$type<Instant>().notNull(),
    /** As last written. By the clock it may have ended since; see `lapsesAt`. */
    status: text("status").notNull(),
    /** When time alone ends this status; null if it never does. */
    lapsesAt: integer("lapses_at").$type<Instant>(),
    /** When a sweep must look at it next. */
    dueAt: integer("due_at").$type<Instant>(),
    /** The grant it led to, or the one that is being prepared. Earlier ones of this request were abandoned. */
    grantId: text("grant_id").$type<GrantId>(),
    /** For an extension: the grant it would extend. */
    extendsGrantId: text("extends_grant_id").$type<GrantId>(),
    /** Set while it waits for more approvers than exist. */
    strandedSince: integer("stranded_since").$type<Instant>(),
    deniedAt: integer("denied_at").$type<Instant>(),
    /** A use of break-glass whose access has started. */
    brokeGlass: integer("broke_glass", { mode: "boolean" }).notNull(),
    /** When its last review was given, if that review found it justified. */
    justifiedAt: integer("justified_at").$type<Instant>(),
    value: text("value", { mode: "json" }).$type<AccessRequest>().notNull(),
  },
  (table) => [
    index("requests_open")
      .on(table.subjectId, table.status, table.lapsesAt, table.id)
      .where(sql`status IN ('PENDING', 'APPROVED', 'ACTIVE')`),
    index("requests_by_subject_time").on(table.subjectId, table.requestedAt),
    index("requests_by_subject").on(table.subjectId),
    index("requests_by_subject_status").on(table.subjectId, table.status),
    index("requests_by_requester").on(table.requestedById),
    index("requests_by_requester_status").on(table.requestedById, table.status),
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
    index("requests_by_extended_grant")
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

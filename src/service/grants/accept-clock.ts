import type { Actor } from "../../core/access/access-request.ts";
import { decideEndAll } from "../../core/decisions/decide-end.ts";
import { hasStarted } from "../../core/access/grant.ts";
import type { Instant, RequestId } from "../../core/values/ids.ts";
import { isRefusal } from "../../core/values/refusals.ts";
import { earliest, formatInstant } from "../../core/values/time.ts";
import { decideCase } from "../decisions/decide-case.ts";
import { deletedStep } from "../people/api-key-service.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import { pagesOf } from "./mass-revocation-service.ts";
import {
  StoreUnavailable,
  type ApiKey,
  type RequestWithGrant,
  type Step,
  type Versioned,
  type Write,
} from "../ports/store.ts";
import { recordOnly } from "../decisions/decide-and-commit.ts";

/** The actor of the command line, which runs while the service is stopped. */
export const operator: Actor = { type: "system", id: "operator", name: "operator", via: "cli" };

/** Access and keys that would last too long once the clock is set back: they were created after that time. */
export interface GivenAfter {
  readonly requests: readonly RequestId[];
  readonly keys: readonly ApiKey[];
}

const pageSize = 200;
const reason = "it was given while the clock was wrong";

export async function givenAfter(context: ServiceContext, to: Instant): Promise<GivenAfter> {
  const { store, runtime } = context;
  const requests: RequestId[] = [];
  for (const status of ["PENDING", "APPROVED", "ACTIVE"] as const) {
    for await (const rows of pagesOf(store, { now: runtime.now(), status })) {
      requests.push(...rows.filter((row) => beganAt(row) > to).map((row) => row.request.value.id));
    }
  }
  const keys: ApiKey[] = [];
  let before: number | undefined;
  do {
    const page = await store.keys({ limit: pageSize, ...(before !== undefined && { before }) });
    keys.push(
      ...page.rows.filter((key) => key.deletedAt === null && key.expiresAt !== null && key.createdAt > to),
    );
    before = page.next ?? undefined;
  } while (before !== undefined);
  return { requests, keys };
}

/** The time from which its end was computed. */
function beganAt({ request, grant }: RequestWithGrant): Instant {
  if (hasStarted(grant?.value)) return grant.value.startedAt;
  return request.value.decidedAt ?? request.value.requestedAt;
}

/**
 * Sets the recorded time back to `to`, because it is wrong. First it ends everything that would otherwise last longer
 * than granted. What the clock has ended must have been recorded already.
 */
export async function acceptClock(context: ServiceContext, from: Instant, to: Instant): Promise<void> {
  const { store, runtime } = context;
  const { requests, keys } = await givenAfter(context, to);
  for (const id of requests) {
    const outcome = await decideCase(context, id, async ({ accessCase }) => ({
      decision: decideEndAll(accessCase, reason, operator, runtime.now()),
      expects: [],
    }));
    if (isRefusal(outcome) && outcome.refused === "store_unavailable")
      throw new StoreUnavailable(outcome.detail);
  }
  for (const { id } of keys) {
    const found: Versioned<ApiKey> | undefined = await store.key(id);
    if (found !== undefined) await mustCommit(context, deletedStep(context, found, operator).step);
  }
  const data = {
    from: formatInstant(from),
    to: formatInstant(to),
    requests: requests.length,
    keys: keys.length,
  };
  await mustCommit(context, {
    ...recordOnly([{ at: to, action: "clock.accepted", actor: operator, data }]),
    writes: [{ kind: "clockLowered", from, at: to }, ...(await retriedNow(context, to))],
  });
}

/** Followers of the audit log whose next attempt was scheduled by the wrong clock. */
async function retriedNow({ store }: ServiceContext, to: Instant): Promise<readonly Write[]> {
  return (await store.cursors()).flatMap((cursor): readonly Write[] => {
    const { dueAt, failingSince } = cursor;
    const isLate = (at: Instant | null): boolean => at !== null && at > to;
    if (!isLate(dueAt) && !isLate(failingSince)) return [];
    const value = {
      ...cursor,
      dueAt: null,
      failingSince: failingSince === null ? null : earliest(failingSince, to),
    };
    return [{ kind: "cursor", value }];
  });
}

async function mustCommit({ store }: ServiceContext, step: Step): Promise<void> {
  const result = await store.commit(step);
  if (!("ok" in result)) throw new StoreUnavailable("The change could not be written.");
}

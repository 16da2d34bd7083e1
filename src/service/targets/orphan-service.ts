import { systemActor } from "../../core/access/access-case.ts";
import type { AuditEntry } from "../../core/audit/audit-record.ts";
import type { Grant } from "../../core/access/grant.ts";
import type { GrantId, Instant } from "../../core/values/ids.ts";
import {
  driftOf,
  shouldRemove,
  orphanStatusOf,
  type ListedObject,
  type OrphanStatus,
} from "../../core/access/orphan-status.ts";
import { targetOf } from "../../core/access/grant.ts";
import { plus, secondMs } from "../../core/values/time.ts";
import type { Connector } from "../ports/connector.ts";
import { forEachLimited } from "../async/for-each-limited.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import { recordOnly } from "../decisions/decide-and-commit.ts";
import type { TargetService } from "./target-service.ts";

/**
 * Compares what targets list with our grants. Only a target's listing proves that nothing is left, never our records.
 */
export interface OrphanService {
  /**
   * Lists one target and acts on it: records drift, takes back what should be gone, reports and removes orphans.
   * @throws ConnectorFault when the target cannot be listed.
   */
  sweep(connector: Connector, signal: AbortSignal): Promise<void>;
}

/** How many objects are checked or removed at the same time at one target. */
const concurrencyMax = 8;
const batchMax = 100;
/** Take-backs older than this are done by the sweep itself, because the relay may be in a long backoff. */
const relayHeadStartMs = 10 * secondMs;
const listWithinMs = 20 * secondMs;
const removeWithinMs = 15 * secondMs;

export function createOrphanService(
  context: ServiceContext,
  targets: TargetService,
  onFault: (fault: unknown) => void,
): OrphanService {
  const { store, runtime } = context;
  /** Since when each object is known to be one that should not exist, by connector and object. */
  const seen = new Map<string, Instant>();

  const finishTakeBacks = async (name: string, signal: AbortSignal): Promise<void> => {
    const before = plus(runtime.now(), -relayHeadStartMs);
    for (;;) {
      const late = await store.toTakeBackAt(name, before, batchMax);
      if (late.length === 0 || signal.aborted) return;
      let done = 0;
      await forEachLimited(late, concurrencyMax, async ({ grantId }) => {
        const act = () => targets.takeBack(grantId, name, timeoutSignal(removeWithinMs, signal));
        if (await succeeds(act, onFault)) done++;
      });
      if (done < late.length) return;
    }
  };

  const checkObject = async (
    connector: Connector,
    listed: ListedObject,
    listedAt: Instant,
    signal: AbortSignal,
  ): Promise<void> => {
    const { name } = connector;
    const statusNow = () => statusOfListed(context, name, listed, listedAt);
    const status = await statusNow();
    if (status === "expected" || status === "ending") return;
    const key = keyOf(name, listed.object);
    const now = runtime.now();
    const since = seen.get(key);
    seen.set(key, since ?? now);
    const isReported = status === "unexplained" || status === "contradictory";
    if (since === undefined && isReported) await record(context, "orphan.found", name, listed, status);
    if (!shouldRemove(status, since ?? now, now)) return;
    const isStillOne = async () => (await statusNow()) === status;
    const isRemoved = await targets.removeOrphan(
      connector,
      listed,
      isStillOne,
      timeoutSignal(removeWithinMs, signal),
    );
    if (!isRemoved) return;
    seen.delete(key);
    await record(context, "orphan.removed", name, listed, status);
  };

  return {
    async sweep(connector, signal) {
      const { name } = connector;
      const listedAt = runtime.now();
      const listing: readonly ListedObject[] = await connector.listManaged(
        timeoutSignal(listWithinMs, signal),
      );
      const byObject = new Map(listing.map((one) => [one.object, one]));
      for (const key of seen.keys()) {
        const [at, object = ""] = key.split("\n");
        if (at === name && !byObject.has(object)) seen.delete(key);
      }
      await noteDrift(context, targets, name, byObject, listedAt);
      await forEachLimited(listing, concurrencyMax, async (listed) => {
        if (!signal.aborted) await succeeds(() => checkObject(connector, listed, listedAt, signal), onFault);
      });
      // Last, because objects that cannot be removed take all the remaining time. The relay retries them as well.
      await finishTakeBacks(name, signal);
    },
  };
}

/** True when it succeeded. A failure does not stop the others. */
async function succeeds(act: () => Promise<void>, onFault: (fault: unknown) => void): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (fault) {
    onFault(fault);
    return false;
  }
}

function keyOf(connector: string, object: string): string {
  return `${connector}\n${object}`;
}

function timeoutSignal(ms: number, signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(ms)]);
}

async function noteDrift(
  { store }: ServiceContext,
  targets: TargetService,
  name: string,
  listed: ReadonlyMap<string, ListedObject>,
  listedAt: Instant,
): Promise<void> {
  let after: GrantId | undefined;
  for (;;) {
    const grants: readonly Grant[] = await store.grantsAt(name, batchMax, after);
    for (const grant of grants) {
      const target = targetOf(grant, name);
      const drift = target && driftOf(target, listed.get(target.spec.object), listedAt);
      if (drift !== undefined && drift.join() !== target?.drift.join()) {
        await targets.noteDrift(grant.id, name, drift);
      }
    }
    after = grants.at(-1)?.id;
    if (grants.length < batchMax) return;
  }
}

/** Always reads the grant after the listing, because a record is committed before its object is created. */
async function statusOfListed(
  { store, runtime }: ServiceContext,
  connector: string,
  listed: ListedObject,
  listedAt: Instant,
): Promise<OrphanStatus> {
  const grant = listed.grantId === null ? undefined : (await store.grant(listed.grantId))?.grant;
  return orphanStatusOf(listed, connector, grant, listedAt, runtime.now());
}

async function record(
  { store, runtime }: ServiceContext,
  action: "orphan.found" | "orphan.removed",
  connector: string,
  { object, grantId }: ListedObject,
  status: OrphanStatus,
): Promise<void> {
  const known = grantId === null ? undefined : await store.grant(grantId);
  const entry: AuditEntry = {
    at: runtime.now(),
    action,
    actor: systemActor,
    ...(known !== undefined && { request: known.request.id, identity: known.request.subjectId }),
    data: { connector, object, grant: grantId, standing: status },
  };
  await store.commit(recordOnly([entry]));
}

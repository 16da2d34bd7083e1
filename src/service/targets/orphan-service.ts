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

/** Compares what targets list with our grants. A listing of the target, never our ledger, proves that nothing is left. */
export interface OrphanService {
  /**
   * Lists one target and acts on it: drift goes on record, what should be gone is taken back, orphans are reported and
   * removed. @throws ConnectorFault when the target cannot be listed.
   */
  sweep(connector: Connector, signal: AbortSignal): Promise<void>;
}

/** How many objects are looked at or removed side by side at one target. */
const sideBySideMax = 8;
const batchMax = 100;
/** A take-back that is older than this is no longer left to the relay, which may be waiting before its next attempt. */
const relayHeadStartMs = 10 * secondMs;
const listWithinMs = 20 * secondMs;
const removeWithinMs = 15 * secondMs;

export function createOrphanService(
  context: ServiceContext,
  targets: TargetService,
  onFault: (fault: unknown) => void,
): OrphanService {
  const { store, runtime } = context;
  /** Since when each object is known to be one that should not be there, by connector and object. */
  const seen = new Map<string, Instant>();

  const finishTakeBacks = async (name: string, signal: AbortSignal): Promise<void> => {
    const before = plus(runtime.now(), -relayHeadStartMs);
    for (;;) {
      const late = await store.toTakeBackAt(name, before, batchMax);
      if (late.length === 0 || signal.aborted) return;
      let done = 0;
      await forEachLimited(late, sideBySideMax, async ({ grantId }) => {
        const act = () => targets.takeBack(grantId, name, timeoutSignal(removeWithinMs, signal));
        if (await tried(act, onFault)) done++;
      });
      if (done < late.length) return;
    }
  };

  const look = async (
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
      await forEachLimited(listing, sideBySideMax, async (listed) => {
        if (!signal.aborted) await tried(() => look(connector, listed, listedAt, signal), onFault);
      });
      // Last, for objects that do not let go take all the time there is; the relay is at them besides.
      await finishTakeBacks(name, signal);
    },
  };
}

/** One that cannot be done does not stop the others. */
async function tried(act: () => Promise<void>, onFault: (fault: unknown) => void): Promise<boolean> {
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

/** Read after the listing, always: what is being made ready has its record before it exists. */
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

import { decideFailure } from "../../core/decisions/decide-preparation.ts";
import {
  decideAttempted,
  decideCleared,
  decideDrift,
  decideOverdue,
  decideProvisioned,
  decideTroubled,
  needsProvisioning,
  needsTakeBack,
} from "../../core/decisions/decide-provisioning.ts";
import { targetOf } from "../../core/access/grant.ts";
import { needsTargets, type Grant } from "../../core/access/grant.ts";
import type { GrantId, Instant } from "../../core/values/ids.ts";
import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import { overdueMs, type ObjectIdentity, type Target } from "../../core/access/target.ts";
import { plus, secondMs } from "../../core/values/time.ts";
import { ConnectorFault, type Connector, type IssuedTarget, type ListedObject } from "../ports/connector.ts";
import { decideCase } from "../decisions/decide-case.ts";
import { decideGrant } from "../decisions/decide-grant.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import { withGracePeriod, acquireUnlessAborted } from "./call-timeout.ts";
import { StoreUnavailable } from "../ports/store.ts";
import type { TargetNamed } from "../ports/target-reads.ts";
import { createKeyedMutex } from "../async/keyed-mutex.ts";

/**
 * Acts at targets and records the results. Each verb acts on the current grant, so that it is idempotent, and does
 * nothing when it comes too late.
 */
export interface TargetService {
  /** Ensures that the object exists until its latest end. @throws ConnectorFault when it must be retried. */
  provision(grantId: GrantId, connector: string, signal: AbortSignal): Promise<void>;
  /**
   * Issues a secret for its reader, and replaces the former one. @throws ConnectorFault also when the grant is over.
   */
  issue(
    grantId: GrantId,
    connector: string,
    ask: { readonly expiresAt: Instant; readonly sshPublicKey?: string },
    signal: AbortSignal,
  ): Promise<IssuedTarget>;
  /** A target cannot provide the access: the request fails, and the other targets' objects are taken back. */
  fail(grant: Grant, connector: string, why: string): Promise<Refusal>;
  /** Ensures that nothing is left at the target. @throws ConnectorFault when it must be retried, without limit. */
  takeBack(grantId: GrantId, connector: string, signal: AbortSignal): Promise<void>;
  /** Removes an object that should not exist, if `isStillOne` while it is locked; true when it was removed. */
  removeOrphan(
    connector: Connector,
    orphan: Pick<ListedObject, "object" | "grantId" | "identity">,
    isStillOne: () => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<boolean>;
  /** Records that this take-back is overdue; true when that is new. */
  noteOverdue(late: TargetNamed): Promise<boolean>;
  /** Records how the object differs from its desired state, when that has changed. */
  noteDrift(grantId: GrantId, connector: string, drift: readonly string[]): Promise<void>;
}

/** Short, because a person waits for the secret. */
const issueGraceMs = secondMs / 2;

export function createTargetService(context: ServiceContext): TargetService {
  const { atTarget, removeOrphan } = createRunAtTarget(context);
  const fail: TargetService["fail"] = async (grant, name, why) => {
    const outcome = await decideCase(context, grant.requestId, async ({ accessCase }) => ({
      decision:
        accessCase.grant?.id === grant.id ? decideFailure(accessCase, name, why, context.runtime.now()) : [],
      expects: [],
    }));
    if (isRefusal(outcome)) throw new StoreUnavailable(outcome.detail);
    return refuse("not_claimable", `This request has failed: ${name} could not provide the access: ${why}.`);
  };
  /**
   * The last problem of each connector. It only informs people; the problem of each target is stored with the target.
   */
  const causes = new Map<string, string>();
  const recordProblems: RecordProblems = async (grantId, name, act) => {
    try {
      const done = await act();
      causes.delete(name);
      return done;
    } catch (fault) {
      if (fault instanceof ConnectorFault) {
        const problem = reasonOf(fault);
        causes.set(name, problem);
        await decideGrant(context, grantId, (grant, at) => decideTroubled(grant, name, problem, at));
      }
      throw fault;
    }
  };
  return {
    fail,
    provision: createProvision(context, atTarget, recordProblems, fail),
    async issue(grantId, name, ask, signal) {
      const issued = await atTarget(grantId, name, signal, async (grant, { spec }) => {
        // A take-back waits for the same lock, so it runs after this call.
        if (!needsTargets(grant)) return undefined;
        return withGracePeriod(connectorNamed(context, name).issue(spec, ask, signal), signal, issueGraceMs);
      });
      if (issued !== undefined) return issued;
      throw new ConnectorFault("refused", "the grant is over", { retryable: true });
    },
    takeBack: async (grantId, name, signal) =>
      atTarget(grantId, name, signal, async (grant, target) => {
        if (!needsTakeBack(grant, target)) return;
        const { connector, object } = target.spec;
        const { identity } = target;
        const wanted = { connector, object, grantId, ...(identity !== undefined && { identity }) };
        const taken = await recordProblems(grantId, name, async () =>
          withGracePeriod(connectorNamed(context, name).takeBack(wanted, signal), signal),
        );
        const left = taken?.left;
        await decideGrant(context, grantId, (now, at) => decideCleared(now, name, at, left));
      }),
    removeOrphan,
    noteOverdue: async ({ grantId, connector }) =>
      decideGrant(context, grantId, (grant, now) =>
        decideOverdue(grant, connector, now, causes.get(connector)),
      ),
    async noteDrift(grantId, connector, drift) {
      await decideGrant(context, grantId, (grant, now) => decideDrift(grant, connector, drift, now));
    },
  };
}

/** Makes an attempt, and records why it failed when that has changed. */
type RecordProblems = <T>(grantId: GrantId, name: string, act: () => Promise<T>) => Promise<T>;

/** Calls `act` with the current target, while its object is locked. */
type RunAtTarget = <T>(
  grantId: GrantId,
  name: string,
  signal: AbortSignal,
  act: (grant: Grant, target: Target) => Promise<T>,
) => Promise<T | undefined>;

function createRunAtTarget({ store }: Pick<ServiceContext, "store">): {
  readonly atTarget: RunAtTarget;
  readonly removeOrphan: TargetService["removeOrphan"];
} {
  /** One call at a time per object, also after a caller has abandoned it. */
  const mutex = createKeyedMutex();
  const withLock = async <T>(
    grantId: GrantId,
    name: string,
    signal: AbortSignal,
    act: () => Promise<T>,
  ): Promise<T> => {
    const release = await acquireUnlessAborted(mutex.acquire(`${name} ${grantId}`), signal);
    try {
      return await act();
    } finally {
      release();
    }
  };
  const atTarget: RunAtTarget = async (grantId, name, signal, act) =>
    withLock(grantId, name, signal, async () => {
      const grant = (await store.grant(grantId))?.grant;
      const target = grant && targetOf(grant, name);
      return grant === undefined || target === undefined ? undefined : act(grant, target);
    });
  const removeOrphan: TargetService["removeOrphan"] = async (
    connector,
    { object, grantId, identity },
    isStillOne,
    signal,
  ) => {
    if (grantId === null) return false;
    const { name } = connector;
    return withLock(grantId, name, signal, async () => {
      if (!(await isStillOne())) return false;
      const wanted = { connector: name, object, grantId, ...(identity !== undefined && { identity }) };
      await withGracePeriod(connector.takeBack(wanted, signal), signal);
      return true;
    });
  };
  return { atTarget, removeOrphan };
}

function createProvision(
  context: ServiceContext,
  atTarget: RunAtTarget,
  recordProblems: RecordProblems,
  fail: TargetService["fail"],
): TargetService["provision"] {
  const failsFor = (grant: Grant, fault: unknown): boolean => {
    // Active access goes on when its extension cannot be set at the target. That is retried until the access is over.
    if (grant.phase !== "PREPARING") return false;
    const isFinal = fault instanceof ConnectorFault && !fault.retryable;
    return isFinal || context.runtime.now() >= grant.provisionBy;
  };
  return async (grantId, name, signal) =>
    atTarget(grantId, name, signal, async (grant, target) => {
      if (!needsProvisioning(grant, target)) return;
      await decideGrant(context, grantId, (now, at) => decideAttempted(now, name, at));
      let identity: ObjectIdentity | undefined;
      try {
        const made = await recordProblems(grantId, name, async () =>
          withGracePeriod(connectorNamed(context, name).provision(target.spec, signal), signal),
        );
        identity = made ?? undefined;
      } catch (fault) {
        if (!failsFor(grant, fault)) throw fault;
        await fail(grant, name, reasonOf(fault));
        return;
      }
      const { notAfter } = target.spec;
      await decideGrant(context, grantId, (now, at) => decideProvisioned(now, name, notAfter, at, identity));
    });
}

/** Take-backs that were due at this time or before are overdue. */
export function overdueSince(now: Parameters<typeof plus>[0]): ReturnType<typeof plus> {
  return plus(now, -overdueMs);
}

/** @throws ConnectorFault when the configuration has no such connector, so that an operator can restore it. */
export function connectorNamed({ connectors }: Pick<ServiceContext, "connectors">, name: string): Connector {
  const connector = connectors().get(name);
  if (connector !== undefined) return connector;
  throw new ConnectorFault("unreachable", `the configuration has no connector ${name}`, {
    retryable: true,
    isTargetDown: true,
    reason: "the configuration has no connector of this name",
  });
}

const reasons: { readonly [Code in ConnectorFault["code"]]: string } = {
  unreachable: "it could not be reached in time",
  timeout: "it did not answer in time",
  not_permitted: "permission denied",
  refused: "it refused",
  foreign_object: "the name is taken by an object that is not ours",
  invalid_input: "it does not accept the request",
};

const reasonLengthMax = 500;

/**
 * The cause for people, without secrets; the target's own message stays in the log. Control characters are replaced,
 * because it may contain a name that a holder has chosen at the target.
 */
export function reasonOf(fault: unknown): string {
  if (!(fault instanceof ConnectorFault)) return "it was not ready in time";
  const reason = (fault.reason ?? reasons[fault.code]).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ");
  return reason.length <= reasonLengthMax ? reason : `${reason.slice(0, reasonLengthMax - 1)}…`;
}

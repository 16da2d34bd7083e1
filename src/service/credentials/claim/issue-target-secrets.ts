import type { Grant } from "../../../core/access/grant.ts";
import type { Instant } from "../../../core/values/ids.ts";
import type { TargetSpec } from "../../../core/access/target.ts";
import { formatInstant, secondMs } from "../../../core/values/time.ts";
import { ConnectorFault, type IssuedTarget } from "../../ports/connector.ts";
import type { ServiceContext } from "../../decisions/load-facts.ts";
import { reasonOf, type TargetService } from "../../targets/target-service.ts";
import type { CredentialTarget } from "../../views/request-view.ts";

/** A target that has issued no secret. */
export interface NotIssued {
  /** Retrying is useless: the target cannot issue it. */
  readonly isFinal: boolean;
  /** The target rejects what came with the claim, and would accept other input. */
  readonly isInputBad: boolean;
  readonly why: string;
  /** What the owner is shown instead. */
  readonly missing: CredentialTarget;
}

export interface IssuedAtTargets {
  readonly targets: readonly CredentialTarget[];
  readonly faults: readonly NotIssued[];
}

/** Lets every target of a grant issue a secret, in parallel. The secrets are stored nowhere. */
export type IssueAtTargets = (
  grant: Grant,
  expiresAt: Instant,
  sshPublicKey: string | undefined,
) => Promise<IssuedAtTargets>;

/** How long targets may take to issue a secret, because a person waits. */
const issueWithinMs = 2 * secondMs;

export function createIssueAtTargets(
  { connectors }: Pick<ServiceContext, "connectors">,
  service: Pick<TargetService, "issue">,
  onFault: (fault: unknown) => void,
): IssueAtTargets {
  const issueAt = async (
    spec: TargetSpec,
    expiresAt: Instant,
    sshPublicKey: string | undefined,
  ): Promise<CredentialTarget | NotIssued> => {
    const connector = connectors().get(spec.connector);
    const ends = formatInstant(expiresAt);
    const kind = connector?.kind ?? "unknown";
    if (connector?.needsSshPublicKey === true && sshPublicKey === undefined) {
      return {
        isFinal: false,
        isInputBad: true,
        why: keyMissing,
        missing: missing(spec, kind, ends, keyMissing),
      };
    }
    const ask = { expiresAt, ...(sshPublicKey !== undefined && { sshPublicKey }) };
    try {
      const signal = AbortSignal.timeout(issueWithinMs);
      return toCredentialTarget(await service.issue(spec.grantId, spec.connector, ask, signal));
    } catch (fault) {
      onFault(fault);
      const isInputBad = fault instanceof ConnectorFault && fault.code === "invalid_input";
      const isFinal = fault instanceof ConnectorFault && !fault.retryable && !isInputBad;
      return { isFinal, isInputBad, why: reasonOf(fault), missing: missing(spec, kind, ends, notNow) };
    }
  };
  return async (grant, expiresAt, sshPublicKey) => {
    const outcomes = await Promise.all(
      grant.targets.map(({ spec }) => issueAt(spec, expiresAt, sshPublicKey)),
    );
    return {
      targets: outcomes.flatMap((one) => ("missing" in one ? [] : [one])),
      faults: outcomes.flatMap((one) => ("missing" in one ? [one] : [])),
    };
  };
}

function toCredentialTarget(issued: IssuedTarget): CredentialTarget {
  const { connector, kind, where, username, secret, expiresAt, command } = issued;
  return { connector, kind, where, username, secret, expiresAt: formatInstant(expiresAt), command };
}

const notNow = "It could not be given a new secret at this moment; rotate again in a minute.";
const keyMissing = "It is reached by SSH: rotate again with your public key as sshPublicKey.";

function missing(spec: TargetSpec, kind: string, expiresAt: string, problem: string): CredentialTarget {
  return {
    connector: spec.connector,
    kind,
    where: spec.place ?? spec.connector,
    username: spec.object,
    secret: null,
    expiresAt,
    command: null,
    problem,
  };
}

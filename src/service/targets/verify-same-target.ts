import { needsTargets, type Grant } from "../../core/access/grant.ts";
import { isSettled, type Target } from "../../core/access/target.ts";
import { ConnectorFault, type Connector, type ListedObject } from "../ports/connector.ts";
import { reasonOf } from "./target-service.ts";

/** An object that our records expect at a target. */
export interface HeldObject {
  readonly grant: Grant;
  readonly target: Target;
}

/**
 * Why the system at the address of `next` is not proven to hold these objects; undefined when it is proven. The proof:
 * - every live object exists there with our label and its identifier;
 * - the system's identifier is the same, where both are known;
 * - every object that is to be taken back is accounted for;
 * - it is no read replica;
 * - the former address is down, or does not hold the same objects. Otherwise one of the two is a copy.
 */
export async function whyNotSameTarget(
  held: readonly HeldObject[],
  next: Connector,
  former: Connector | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const system = await next.system?.(signal);
    if (system?.isWritable === false) return "it is a read replica";
    const listed = new Map((await next.listManaged(signal)).map((one) => [one.object, one]));
    for (const one of held) {
      const why = whyNotThere(one, listed.get(one.target.spec.object), systemOf([...listed.values()]));
      if (why !== undefined) return why;
    }
    return await whyFormerCounts(held, former, system?.instance, signal);
  } catch (fault) {
    return fault instanceof ConnectorFault ? reasonOf(fault) : "it could not be checked";
  }
}

function systemOf(listed: readonly ListedObject[]): string | undefined {
  return listed.find(({ identity }) => identity?.system !== undefined)?.identity?.system;
}

function whyNotThere(
  { grant, target }: HeldObject,
  listed: ListedObject | undefined,
  system: string | undefined,
): string | undefined {
  if (isSettled(target)) return undefined;
  const { object } = target.spec;
  const { identity } = target;
  if (identity?.system !== undefined && system !== undefined && identity.system !== system) {
    return "its system identifier is another";
  }
  const isSameSystem = identity?.system !== undefined && identity.system === system;
  const isLive = needsTargets(grant) && (target.state === "PROVISIONED" || identity !== undefined);
  if (listed === undefined) {
    // An object to be taken back may be gone already. Its absence proves nothing unless the system is known.
    return isLive || !isSameSystem ? `it does not hold ${object}` : undefined;
  }
  if (listed.grantId !== grant.id) return `${object} belongs to another grant there`;
  if (identity?.id !== listed.identity?.id) return `${object} is another object there`;
  return undefined;
}

async function whyFormerCounts(
  held: readonly HeldObject[],
  former: Connector | undefined,
  instance: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (former === undefined) return undefined;
  let listed: readonly ListedObject[];
  try {
    const system = await former.system?.(signal);
    // Another name of the same system, or the former primary, which is now a replica of the new one.
    if (system !== undefined && (system.instance === instance || !system.isWritable)) return undefined;
    listed = await former.listManaged(signal);
  } catch (fault) {
    // It is unreachable. A system that answers with a refusal, for example of a password, runs and may hold the
    // objects.
    if (fault instanceof ConnectorFault && !fault.hasAnswered) return undefined;
    const why = fault instanceof ConnectorFault ? reasonOf(fault) : "it could not be checked";
    return `the former address answers too, and what it holds is not known: ${why}`;
  }
  const there = new Set(listed.map(({ object }) => object));
  const both = held.some(({ target }) => there.has(target.spec.object));
  return both ? "the former address answers too, and holds the same objects" : undefined;
}

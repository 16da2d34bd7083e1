import type { AccessCase, Decision } from "../../core/access/access-case.ts";
import type { Grant } from "../../core/access/grant.ts";
import { parseId, type GrantId, type Instant, type RequestId } from "../../core/values/ids.ts";
import { decideAbandonTarget } from "../../core/decisions/decide-provisioning.ts";
import { targetOf } from "../../core/access/grant.ts";
import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import { actorOf, lacksRole, type Caller } from "../ports/caller.ts";
import { decideCase } from "../decisions/decide-case.ts";
import { decideGrant } from "../decisions/decide-grant.ts";
import type { RedactTokens } from "../guards/redact-tokens.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";

/** An object that we gave up. Our records no longer expect it, and its removal was never confirmed. */
export interface AbandonedObject {
  readonly connector: string;
  readonly object: string;
  readonly state: "ABANDONED";
  /** The request it was made for. */
  readonly requestId: string;
}

/** Gives up an object at a target that is permanently lost. Live access ends in the same commit. */
export type AbandonObject = (
  caller: Caller,
  connector: string,
  ask: { readonly object: string; readonly reason: string },
) => Promise<AbandonedObject | Refusal>;

export function createAbandonObject(
  context: ServiceContext,
  grants: { readonly tick: (requestId: string) => Promise<boolean> },
  redactTokens: RedactTokens,
): AbandonObject {
  return async (caller, connector, ask) => {
    const missing = lacksRole(caller, "admin");
    if (missing !== undefined) return missing;
    const { object } = ask;
    const reason = await redactTokens(ask.reason);
    const unknown = refuse("not_found", `There is no object "${object.slice(0, 80)}" at ${connector}.`);
    const grantId = grantIdIn(object);
    const found = grantId && (await context.store.grant(grantId));
    if (found === undefined || targetOf(found.grant, connector)?.spec.object !== object) return unknown;
    const requestId = found.request.id;
    // Records first what the clock has ended, so that it ends as expired and not as revoked.
    await grants.tick(requestId);
    const by = actorOf(caller);
    const now = (): Instant => context.runtime.now();
    const outcome = await decideOnGrant(context, requestId, found.grant.id, (accessCase) =>
      decideAbandonTarget(accessCase, connector, reason, by, now()),
    );
    return isRefusal(outcome) ? outcome : { connector, object, state: "ABANDONED", requestId };
  };
}

type CaseWithGrant = AccessCase & { readonly grant: Grant };

/** Decides on a grant with its request and extension, or by itself when it is not the latest of its request. */
async function decideOnGrant(
  context: ServiceContext,
  requestId: RequestId,
  grantId: GrantId,
  decide: (accessCase: CaseWithGrant) => Decision,
): Promise<Refusal | undefined> {
  let isLatest = true;
  const outcome = await decideCase(context, requestId, async ({ accessCase }) => {
    const { grant } = accessCase;
    isLatest = grant?.id === grantId;
    return { decision: grant?.id === grantId ? decide({ ...accessCase, grant }) : [], expects: [] };
  });
  if (isLatest) return isRefusal(outcome) ? outcome : undefined;
  const found = await context.store.grant(grantId);
  if (found === undefined) return refuse("not_found", "This access does not exist.");
  let refusal: Refusal | undefined;
  await decideGrant(context, grantId, (grant) => {
    const decision = decide({ request: found.request, grant });
    refusal = isRefusal(decision) ? decision : undefined;
    return isRefusal(decision) ? [] : decision;
  });
  return refusal;
}

/** The id of the grant, which the object's name contains. */
function grantIdIn(object: string): GrantId | undefined {
  const id = /gr_[0-9A-Za-z]+/.exec(object)?.[0];
  return id === undefined ? undefined : parseId("grant", id);
}

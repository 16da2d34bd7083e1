import {
  accountIn,
  isActive,
  linkName,
  linkTo,
  parseEmail,
  type ChatAccount,
  type Identity,
  type Role,
  type Selector,
} from "../../core/values/identity.ts";
import { parseId, type IdentityId } from "../../core/values/ids.ts";
import { refuseInactive } from "../../core/access/assessment.ts";
import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import { hourMs } from "../../core/values/time.ts";
import { unknownIdentity } from "../ports/request-input.ts";
import { administratorsOf } from "./administrators.ts";
import { actorOf, lacksRole, makersOf, type Caller } from "../ports/caller.ts";
import type { AccountLinks } from "../messaging/account-links.ts";
import { identityStep } from "./directory-service.ts";
import { loadPeople, type ServiceContext } from "../decisions/load-facts.ts";
import { findNamedIdentity } from "./find-identity.ts";
import type { Step, Versioned } from "../ports/store.ts";
import { decideAndCommit, recordOnly } from "../decisions/decide-and-commit.ts";
import { newEffect } from "../decisions/build-step.ts";

/** How often one account may ask for a link within the window. */
export const linkRequestsMax = 3;
const linkRequestsWindowMs = hourMs;

/** Reads the person at every press, so that a link or a deactivation counts immediately. */
export function createAccountLinks(context: ServiceContext): AccountLinks {
  const { store } = context;

  const callerOf = async (account: ChatAccount): Promise<Caller | Refusal> => {
    const found = await store.identityByLink(account);
    return found === undefined || found.value.kind !== "HUMAN"
      ? notLinked()
      : callerAs(context, found.value, account);
  };

  return {
    callerOf,
    async linkByEmail(account, email) {
      const linked = await decideAndCommit(store, async () => {
        const taken = await store.identityByLink(account);
        if (taken !== undefined) return notLinked();
        const candidate = await candidateFor(context, account.surface, email);
        if (candidate === undefined) return notLinked();
        const by = actorOf({ identity: candidate.value, roles: [], via: account.surface });
        // Who has set the address is responsible for the link.
        const makers = candidate.value.origins?.email?.by ?? [];
        return linking(context, candidate, account, by, makers, "email");
      });
      return isRefusal(linked) ? callerOf(account) : callerAs(context, linked, account);
    },
    async askForLink(account, who) {
      const taken = await store.identityByLink(account);
      if (taken !== undefined) return alreadyLinked(taken.value);
      const to = await administratorsOf(context);
      if (to.length === 0) {
        return refuse("no_approvers", "The configuration names no administrator who could be asked.");
      }
      const found = who.email === null ? undefined : await candidateFor(context, account.surface, who.email);
      return decideAndCommit(store, async () => ({
        step: linkRequestStep(context, account, who, found?.value ?? null, to),
        result: { asked: to.length },
      }));
    },
    async becameReachable(account) {
      const found = await store.identityByLink(account);
      if (found === undefined || found.value.kind !== "HUMAN" || !isActive(found.value)) return;
      const { runtime } = context;
      const announce = { kind: "announce_waiting", identityId: found.value.id, after: 0 } as const;
      const effects = [newEffect(announce, { now: runtime.now(), runtime })];
      await store.commit({ ...recordOnly([]), effects });
    },
    async link(caller, account, identityId) {
      const missing = lacksRole(caller, "admin");
      if (missing !== undefined) return missing;
      return decideAndCommit(store, async () => {
        const found = await findNamedIdentity(store, identityId.trim());
        if (found === undefined) return unknownIdentity(identityId);
        const taken = await store.identityByLink(account);
        if (taken !== undefined && taken.value.id !== found.value.id) return alreadyLinked(taken.value);
        return linking(context, found, account, actorOf(caller), makersOf(caller), "administrator");
      });
    },
  };
}

function notLinked(): Refusal {
  return refuse("identity_not_linked", "This account is not linked to anybody here.");
}

function alreadyLinked({ name }: Identity): Refusal {
  return refuse("name_taken", `This account is already linked to ${name}.`);
}

/** The caller with their roles in chat: requester and approver, and others by the configuration. */
async function callerAs(
  context: ServiceContext,
  identity: Identity,
  { surface }: ChatAccount,
): Promise<Caller | Refusal> {
  if (!isActive(identity)) return refuseInactive(identity);
  const rules = await context.rulebook();
  const { admin, auditor } = rules.book.rules.chatRoles;
  const named = [...admin, ...auditor];
  const { directory } = await loadPeople(context, [identity.id], named, { freshness: "verify", rules });
  const isAmong = (selectors: readonly Selector[]): boolean =>
    selectors.some((one) => directory.people(one, identity.id).some(({ id }) => id === identity.id));
  const roles: Role[] = ["requester", "approver"];
  if (isAmong(admin)) roles.push("admin");
  if (isAmong(auditor)) roles.push("auditor");
  return { identity, roles, via: surface };
}

/** The only active person with exactly this address and no account on this platform. */
async function candidateFor(
  { store }: ServiceContext,
  surface: ChatAccount["surface"],
  text: string,
): Promise<Versioned<Identity> | undefined> {
  const email = parseEmail(text);
  if (email === undefined) return undefined;
  const people = await store.people({ ids: [], selectors: [{ kind: "email", email }] });
  const fitting = people.filter(
    ({ value }) =>
      value.kind === "HUMAN" &&
      isActive(value) &&
      value.email?.toLowerCase() === email &&
      accountIn(value.links, surface) === undefined,
  );
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** Links the account to this person. A repeated press changes nothing. */
function linking(
  context: ServiceContext,
  before: Versioned<Identity>,
  account: ChatAccount,
  by: ReturnType<typeof actorOf>,
  makers: readonly IdentityId[],
  how: "email" | "administrator",
): { readonly step: Step; readonly result: Identity } | Refusal {
  const identity = before.value;
  const has = accountIn(identity.links, account.surface);
  const isSame = has !== undefined && linkName(has) === linkName(account);
  if (has !== undefined && !isSame) {
    return refuse(
      "name_taken",
      `${identity.name} is already linked to another account there; take that link away first.`,
    );
  }
  if (identity.kind !== "HUMAN" || identity.managedBy === "built-in") {
    return refuse("identity_unknown", `${identity.name} is a program, and only people are linked.`);
  }
  if (!isActive(identity)) return refuseInactive(identity);
  const link = linkTo(account);
  const after: Identity = {
    ...identity,
    links: { ...identity.links, ...link },
    // Stored separately from the file's links, so that a reload keeps it.
    ...(identity.managedBy === "file" && !isSame && { chatLinks: { ...identity.chatLinks, ...link } }),
  };
  const step = identityStep(context, before, after, by, makers);
  const { surface, team, user } = account;
  const at = context.runtime.now();
  const data = { surface, team, user, how };
  return {
    step: isSame
      ? { ...step, writes: [], expects: [], unique: [], audit: [] }
      : {
          ...step,
          audit: [{ at, action: "identity.linked", actor: by, identity: identity.id, data }],
          effects: [
            ...step.effects,
            newEffect(
              { kind: "announce_link", identityId: identity.id, account, byId: linkerOf(by, how) },
              { now: at, runtime: context.runtime },
            ),
          ],
        },
    result: after,
  };
}

/** Null when the platform made the link by a verified address. */
function linkerOf({ id }: ReturnType<typeof actorOf>, how: "email" | "administrator"): IdentityId | null {
  return how === "email" ? null : (parseId("identity", id) ?? null);
}

/** Changes no identity: notifies the administrators, and counts the request against its limit. */
function linkRequestStep(
  { runtime }: ServiceContext,
  account: ChatAccount,
  { displayName, email }: { readonly displayName: string; readonly email: string | null },
  candidate: Identity | null,
  to: readonly Identity[],
): Step {
  const now = runtime.now();
  const effect = newEffect(
    {
      kind: "request_link",
      account,
      displayName: displayName.slice(0, namesLengthMax),
      email: email === null ? null : email.slice(0, namesLengthMax),
      candidateId: candidate?.id ?? null,
      to: to.map((person) => person.id),
    },
    { now, runtime },
  );
  const asks = { add: 1, max: linkRequestsMax, windowMs: linkRequestsWindowMs, at: now };
  return {
    expects: [],
    writes: [],
    unique: [],
    counters: [{ key: `link-asked:${linkName(account)}`, ...asks }],
    audit: [],
    effects: [effect],
  };
}

/** Names come from the platform and may be long. */
const namesLengthMax = 200;

import type { Actor } from "../../core/access/access-request.ts";
import type { AuditAction } from "../../core/audit/audit-record.ts";
import { makeId, type IdentityId } from "../../core/values/ids.ts";
import {
  accountIn,
  isActive,
  linkName,
  withoutLink,
  type ChatAccount,
  type Identity,
  type Links,
} from "../../core/values/identity.ts";
import { withOrigins } from "../../core/values/identity-origins.ts";
import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import { unknownIdentity } from "../ports/request-input.ts";
import { actorOf, lacksRole, makersOf, type Caller } from "../ports/caller.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import { findNamedIdentity } from "./find-identity.ts";
import type { Page, PageQuery, Step, UniqueChange, Versioned } from "../ports/store.ts";
import { decideAndCommit } from "../decisions/decide-and-commit.ts";
import { reviewEffects } from "../decisions/approver-review-effects.ts";
import { linksMade, newLinks } from "./new-account-links.ts";
import { expectUnchanged, newEffect } from "../decisions/build-step.ts";

/** What an administrator writes about a person or program. */
export interface IdentityInput {
  readonly id?: IdentityId;
  readonly kind: Identity["kind"];
  readonly email?: string;
  readonly name: string;
  /** By id or e-mail address. */
  readonly managerId?: string;
  readonly groups: readonly string[];
  readonly links: Links;
  readonly active: boolean;
}

/** A change; null removes an optional field. */
export interface IdentityPatch {
  readonly kind?: Identity["kind"];
  readonly email?: string | null;
  readonly name?: string;
  readonly managerId?: string | null;
  readonly groups?: readonly string[];
  readonly links?: Links;
  readonly active?: boolean;
}

/** The patch with the manager's id. */
type FoundPatch = Omit<IdentityPatch, "managerId"> & { readonly managerId?: IdentityId | null };

/** Identities can be named by id or e-mail address. */
export interface DirectoryService {
  list(caller: Caller, page: PageQuery): Promise<Page<Identity> | Refusal>;
  read(caller: Caller, id: string): Promise<Identity | Refusal>;
  create(caller: Caller, input: IdentityInput): Promise<Identity | Refusal>;
  /** For identities that the file manages, only `active` can be changed; it survives reloads. */
  change(caller: Caller, id: string, patch: IdentityPatch): Promise<Identity | Refusal>;
  /** Removes a link. A link that the file makes is removed in the file. */
  unlink(caller: Caller, id: string, surface: ChatAccount["surface"]): Promise<Identity | Refusal>;
}

export function createDirectoryService(context: ServiceContext): DirectoryService {
  const { store, runtime } = context;
  return {
    async list(caller, page) {
      return lacksRole(caller, "admin", "auditor") ?? store.identities(page);
    },
    async read(caller, id) {
      const found = await findNamedIdentity(store, id);
      const missing =
        found?.value.id === caller.identity.id ? undefined : lacksRole(caller, "admin", "auditor");
      return missing ?? found?.value ?? noIdentity(id);
    },
    async create(caller, input) {
      const { active, managerId: managerName, ...fields } = input;
      const id = input.id ?? makeId("identity", runtime.idSuffix());
      const missing = lacksRole(caller, "admin");
      if (missing !== undefined) return missing;
      return decideAndCommit(store, async () => {
        const managerId = await managerNamed(store, managerName);
        if (isRefusal(managerId)) return managerId;
        const identity: Identity = {
          ...fields,
          id,
          ...(managerId !== undefined && { managerId }),
          managedBy: "api",
          listed: true,
          enabled: active,
        };
        const refusal = refuseInvalid(identity);
        if (refusal !== undefined) return refusal;
        if ((await store.identity(identity.id)) !== undefined) {
          return refuse("name_taken", `There is already an identity ${identity.id}.`);
        }
        return written(context, caller, undefined, identity);
      });
    },
    async change(caller, id, patch) {
      const missing = lacksRole(caller, "admin");
      if (missing !== undefined) return missing;
      return decideAndCommit(store, async () => {
        const before = await findNamedIdentity(store, id);
        if (before === undefined) return noIdentity(id);
        const managerId = await managerNamed(store, patch.managerId);
        if (isRefusal(managerId)) return managerId;
        const { managerId: _, ...rest } = patch;
        const after = patched(before.value, { ...rest, ...(managerId !== undefined && { managerId }) });
        if (isRefusal(after)) return after;
        const refusal = refuseInvalid(after);
        if (refusal !== undefined) return refusal;
        return written(context, caller, before, after);
      });
    },
    async unlink(caller, id, surface) {
      const missing = lacksRole(caller, "admin");
      if (missing !== undefined) return missing;
      return decideAndCommit(store, async () => {
        const before = await findNamedIdentity(store, id);
        if (before === undefined) return noIdentity(id);
        const after = unlinked(before.value, surface);
        if (isRefusal(after)) return after;
        return written(context, caller, before, after);
      });
    },
  };
}

/** The step and the result of a change that this caller makes to an identity. */
function written(
  context: ServiceContext,
  caller: Caller,
  before: Versioned<Identity> | undefined,
  after: Identity,
): { readonly step: Step; readonly result: Identity } {
  const step = identityStep(context, before, after, actorOf(caller), makersOf(caller));
  const now = context.runtime.now();
  // The person is always notified, because the account can act as them from now on.
  const linkNotices = (after.kind === "HUMAN" ? newLinks(before?.value, after) : []).map((account) =>
    newEffect(
      { kind: "announce_link", identityId: after.id, account, byId: caller.identity.id },
      { now, runtime: context.runtime },
    ),
  );
  return { step: { ...step, effects: [...step.effects, ...linkNotices] }, result: after };
}

function unlinked(identity: Identity, surface: ChatAccount["surface"]): Identity | Refusal {
  const { chatLinks, ...rest } = identity;
  if (accountIn(identity.links, surface) === undefined) {
    return refuse("not_found", `${identity.name} has no link there.`);
  }
  if (identity.managedBy === "file" && accountIn(chatLinks ?? {}, surface) === undefined) {
    return refuse("managed_by_file", "The configuration file makes this link; take it away there.");
  }
  const links = withoutLink(identity.links, surface);
  const left = withoutLink(chatLinks ?? {}, surface);
  return { ...rest, links, ...(Object.keys(left).length > 0 && { chatLinks: left }) };
}

function noIdentity(id: string): Refusal {
  return refuse("not_found", `There is no identity "${id.slice(0, 80)}".`);
}

function patched(identity: Identity, patch: FoundPatch): Identity | Refusal {
  const { active, email, managerId, ...rest } = patch;
  const isMore = [email, managerId, ...Object.values(rest)].some((value) => value !== undefined);
  if (identity.managedBy === "built-in") {
    return refuse(
      "managed_by_file",
      "The built-in identity is changed by the configuration of the service only.",
    );
  }
  if (identity.managedBy === "file" && isMore) {
    return refuse(
      "managed_by_file",
      "The configuration file manages this identity; only active can be changed here.",
    );
  }
  const { email: emailBefore, managerId: managerBefore, ...kept } = identity;
  const emailAfter = email === undefined ? emailBefore : (email ?? undefined);
  const managerAfter = managerId === undefined ? managerBefore : (managerId ?? undefined);
  return {
    ...kept,
    ...(rest.kind !== undefined && { kind: rest.kind }),
    ...(rest.name !== undefined && { name: rest.name }),
    ...(rest.groups !== undefined && { groups: rest.groups }),
    ...(rest.links !== undefined && { links: rest.links }),
    ...(emailAfter !== undefined && { email: emailAfter }),
    ...(managerAfter !== undefined && { managerId: managerAfter }),
    enabled: active ?? identity.enabled,
  };
}

function refuseInvalid(identity: Identity): Refusal | undefined {
  if (identity.kind === "HUMAN" && identity.email === undefined) {
    return refuse("invalid_body", "A person needs an e-mail address.", {
      errors: [{ path: "email", message: "is required for a HUMAN" }],
    });
  }
  return identity.managerId === identity.id
    ? refuse("invalid_body", "Nobody is their own manager.", {
        errors: [{ path: "managerId", message: "must be somebody else" }],
      })
    : undefined;
}

/** The id of the manager that a body names; null and undefined are returned as they are. */
async function managerNamed<Without extends null | undefined>(
  store: ServiceContext["store"],
  name: string | Without,
): Promise<IdentityId | Without | Refusal> {
  if (typeof name !== "string") return name;
  return (await findNamedIdentity(store, name))?.value.id ?? unknownIdentity(name);
}

/**
 * The step that changes an identity: row, unique names, audit record, and the end of access when the person becomes
 * inactive. The configuration file uses it as well.
 *
 * @param makers Everyone who is responsible for the change.
 */
export function identityStep(
  { runtime }: Pick<ServiceContext, "runtime">,
  before: Versioned<Identity> | undefined,
  wanted: Identity,
  by: Actor,
  makers: readonly IdentityId[],
): Step {
  const now = runtime.now();
  const after = withOrigins(before?.value, wanted, makers, now);
  const wasActive = before !== undefined && isActive(before.value);
  const isGone = wasActive && !isActive(after);
  const action: AuditAction =
    before === undefined ? "identity.created" : isGone ? "identity.deactivated" : "identity.changed";
  const { id, kind, name, groups, managedBy } = after;
  return {
    expects: [
      before === undefined ? { kind: "identity", id, version: 0 } : expectUnchanged("identity", before),
    ],
    writes: [{ kind: "identity", value: after }],
    unique: uniqueOf(before?.value, after),
    counters: [],
    audit: [
      {
        at: now,
        action,
        actor: by,
        identity: id,
        data: {
          kind,
          name,
          groups,
          managedBy,
          active: isActive(after),
          ...(after.email !== undefined && { email: after.email }),
          ...(after.managerId !== undefined && { managerId: after.managerId }),
          ...(Object.keys(after.links).length > 0 && { links: after.links }),
        },
      },
    ],
    effects: [
      ...(isGone ? [newEffect({ kind: "end_access_of", identityId: id }, { now, runtime })] : []),
      ...reviewEffects(before?.value, after, { now, runtime }),
      // The links of a file are handled together (see the configuration service).
      ...(managedBy === "file" && by.type === "system"
        ? []
        : linksMade(newLinks(before?.value, after), { runtime })),
    ],
  };
}

function uniqueOf(before: Identity | undefined, after: Identity): readonly UniqueChange[] {
  const had = before === undefined ? [] : namesOf(before);
  const has = namesOf(after);
  const owner: string = after.id;
  return [
    ...had.filter((name) => !has.includes(name)).map((release) => ({ release, owner })),
    ...has.filter((name) => !had.includes(name)).map((take) => ({ take, owner })),
  ];
}

/** The unique names of an identity: its address and its chat accounts. A person removed from the file has none. */
function namesOf({ email, links, listed }: Identity): readonly string[] {
  if (!listed) return [];
  const accounts = [accountIn(links, "slack"), accountIn(links, "teams")];
  return [
    ...(email === undefined ? [] : [`email:${email.toLowerCase()}`]),
    ...accounts.flatMap((account) => (account === undefined ? [] : [linkName(account)])),
  ];
}

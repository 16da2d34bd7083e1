import { parseId, type IdentityId, type Instant } from "./ids.ts";

/** The surface a command came from. A policy's stage may restrict which of the first four may decide it. */
export type Via = "api" | "slack" | "teams" | "email" | "cli" | "console" | "policy" | "system";

/** Roles of an API key. A role never replaces a person's right to approve. */
export const roles = ["requester", "approver", "auditor", "resource", "admin"] as const;
export type Role = (typeof roles)[number];

/** A person or a program. */
export interface Identity {
  readonly id: IdentityId;
  readonly kind: "HUMAN" | "SERVICE";
  /** Optional for a SERVICE. Compared case-insensitively. */
  readonly email?: string;
  readonly name: string;
  readonly managerId?: IdentityId;
  /** Names of groups. A group has no record: it exists while an identity lists it. */
  readonly groups: readonly string[];
  readonly links: Links;
  /**
   * The subset of `links` made in chat for a person managed by the file. The file wins; these survive reloads and are
   * deleted with the person.
   */
  readonly chatLinks?: Links;
  /** Who set the links and the address; absent where the configuration file did. */
  readonly origins?: Origins;
  /** What manages this record: the configuration file, the API, or jit-access itself (`id_admin`). */
  readonly managedBy: "file" | "api" | "built-in";
  /** Whether the configuration file lists them; always true when the file does not manage them. */
  readonly listed: boolean;
  /** Set by administrators; survives reloads of the file. */
  readonly enabled: boolean;
}

/** Who set a link or an address, and everyone behind those people's own links and addresses. */
export interface Origin {
  readonly by: readonly IdentityId[];
  readonly at: Instant;
  /** Whether it was set when the identity was created. */
  readonly atCreation: boolean;
}

/** Origins of what people set. What the configuration file sets has none. */
export interface Origins {
  readonly slack?: Origin;
  readonly teams?: Origin;
  readonly email?: Origin;
}

export interface Links {
  readonly slack?: { readonly teamId: string; readonly userId: string };
  readonly teams?: { readonly tenantId: string; readonly aadObjectId: string };
}

/** An account on a chat platform, as verified by the platform. */
export interface ChatAccount {
  readonly surface: "slack" | "teams";
  /** Slack: enterprise or team id. Teams: tenant id. */
  readonly team: string;
  /** Slack: user id. Teams: `aadObjectId`. */
  readonly user: string;
}

/** The unique name of an account: each belongs to at most one identity. */
export function linkName({ surface, team, user }: ChatAccount): string {
  return `${surface}:${team}:${user}`;
}

/** The account these links name on that platform. */
export function accountIn(links: Links, surface: ChatAccount["surface"]): ChatAccount | undefined {
  const { slack, teams } = links;
  if (surface === "slack") return slack && { surface, team: slack.teamId, user: slack.userId };
  return teams && { surface, team: teams.tenantId, user: teams.aadObjectId };
}

/** These links without the one on that platform. */
export function withoutLink(links: Links, surface: ChatAccount["surface"]): Links {
  const { slack, teams } = links;
  return {
    ...(slack !== undefined && surface !== "slack" && { slack }),
    ...(teams !== undefined && surface !== "teams" && { teams }),
  };
}

/** The link that names this account. */
export function linkTo({ surface, team, user }: ChatAccount): Links {
  return surface === "slack"
    ? { slack: { teamId: team, userId: user } }
    : { teams: { tenantId: team, aadObjectId: user } };
}

/** Someone is active when their source lists them and the administrator's switch is on. */
export function isActive(identity: Identity): boolean {
  return identity.listed && identity.enabled;
}

/**
 * Who may decide a stage, as the policy's author wrote it. Frozen on the request; membership is read at each
 * decision. An address is bound to the identity that has it when the request is frozen, even if that address changes
 * later.
 */
export type Selector =
  | { readonly kind: "email"; readonly email: string; readonly id?: IdentityId }
  | { readonly kind: "group"; readonly group: string }
  | { readonly kind: "identity"; readonly id: IdentityId }
  | { readonly kind: "manager" }
  | { readonly kind: "slack-usergroup"; readonly id: string };

const emailPattern = /^[^\s@,;<>"'()]{1,64}@[^\s@,;<>"'()]{1,190}$/;
/** Characters, however many bytes or code units each takes. */
export const groupNameLengthMax = 256;
const notInGroupNames = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;

/** A plausible address, in lower case; undefined for anything else. */
export function parseEmail(text: string): string | undefined {
  return emailPattern.test(text) ? text.toLowerCase() : undefined;
}

/**
 * A group name as a directory may have it: one line, compared exactly. White space at the ends is refused, because
 * nobody can see it.
 */
export function isGroupName(text: string): boolean {
  return (
    text !== "" &&
    text.length <= 2 * groupNameLengthMax &&
    Array.from(text).length <= groupNameLengthMax &&
    text === text.trim() &&
    !notInGroupNames.test(text)
  );
}

/**
 * Parses `a@b.c`, `group:dba`, `identity:id_lead`, `manager` or `slack-usergroup:S0123`; undefined for anything else.
 */
export function parseSelector(text: string): Selector | undefined {
  if (text === "manager") return { kind: "manager" };
  const colon = text.indexOf(":");
  const rest = text.slice(colon + 1);
  switch (colon === -1 ? "" : text.slice(0, colon)) {
    case "group":
      return isGroupName(rest) ? { kind: "group", group: rest } : undefined;
    case "identity": {
      const id = parseId("identity", rest);
      if (id !== undefined) return { kind: "identity", id };
      // `identity:` before an address changes nothing.
      const email = parseEmail(rest);
      return email === undefined ? undefined : { kind: "email", email };
    }
    case "slack-usergroup":
      return /^S[A-Z0-9]{2,20}$/.test(rest) ? { kind: "slack-usergroup", id: rest } : undefined;
    default: {
      const email = parseEmail(text);
      return email === undefined ? undefined : { kind: "email", email };
    }
  }
}

/** The text {@link parseSelector} reads back. */
export function formatSelector(selector: Selector): string {
  switch (selector.kind) {
    case "email":
      return selector.email;
    case "group":
      return `group:${selector.group}`;
    case "identity":
      return `identity:${selector.id}`;
    case "manager":
      return "manager";
    case "slack-usergroup":
      return `slack-usergroup:${selector.id}`;
  }
}

/** A key that is equal for selectors that mean the same people. A resolved address equals its identity. */
export function selectorKey(selector: Selector): string {
  return selector.kind === "email" && selector.id !== undefined
    ? formatSelector({ kind: "identity", id: selector.id })
    : formatSelector(selector);
}

/**
 * Binds every address to the active person who has it now. An address nobody has stays unbound, so the person who
 * gets it later may decide. Groups and managers stay unbound too: they are read at each decision.
 */
export function withAddressesResolved(
  selectors: readonly Selector[],
  directory: Directory,
  subjectId: IdentityId,
): readonly Selector[] {
  return selectors.map((selector) => {
    if (selector.kind !== "email" || selector.id !== undefined) return selector;
    const [person] = directory.people(selector, subjectId);
    return person === undefined ? selector : { ...selector, id: person.id };
  });
}

/** The people one decision needs, read from the store in one transaction. */
export interface Directory {
  identity(id: IdentityId): Identity | undefined;
  /** Active humans the selector matches for this subject, without duplicates. */
  people(selector: Selector, subjectId: IdentityId): readonly Identity[];
}

/** What to load so that {@link directoryOf} can resolve these selectors. */
export interface DirectoryQuery {
  readonly ids: readonly IdentityId[];
  readonly selectors: readonly Selector[];
  /** Accounts whose identities are needed, as {@link linkName} writes them. */
  readonly links?: readonly string[];
}

/** Members of Slack user groups, by group id. A group without an entry counts as empty. */
export type GroupMembers = ReadonlyMap<string, ReadonlySet<IdentityId>>;

/** A directory over loaded identities. Without `members`, a Slack user group matches nobody. */
export function directoryOf(identities: readonly Identity[], members: GroupMembers = new Map()): Directory {
  const byId = new Map(identities.map((identity) => [identity.id, identity]));
  const matches = (selector: Selector, subjectId: IdentityId, identity: Identity): boolean => {
    switch (selector.kind) {
      case "email":
        return selector.id === undefined
          ? identity.email?.toLowerCase() === selector.email
          : identity.id === selector.id;
      case "group":
        return identity.groups.includes(selector.group);
      case "identity":
        return identity.id === selector.id;
      case "manager":
        return byId.get(subjectId)?.managerId === identity.id;
      case "slack-usergroup":
        return members.get(selector.id)?.has(identity.id) === true;
    }
  };
  return {
    identity: (id) => byId.get(id),
    people: (selector, subjectId) =>
      [...byId.values()].filter(
        (person) => person.kind === "HUMAN" && isActive(person) && matches(selector, subjectId, person),
      ),
  };
}

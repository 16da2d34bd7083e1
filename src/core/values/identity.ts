import { parseId, type IdentityId, type Instant } from "./ids.ts";

/** Where a command came in. A policy's stage may say through which of the first four it is decided. */
export type Via = "api" | "slack" | "teams" | "email" | "cli" | "console" | "policy" | "system";

/** Roles of an API key. No role stands in for a person. */
export const roles = ["requester", "approver", "auditor", "resource", "admin"] as const;
export type Role = (typeof roles)[number];

/** A person or program as we know it. */
export interface Identity {
  readonly id: IdentityId;
  readonly kind: "HUMAN" | "SERVICE";
  /** Optional for a SERVICE. Compared without regard to case. */
  readonly email?: string;
  readonly name: string;
  readonly managerId?: IdentityId;
  /** A group is whoever lists it. */
  readonly groups: readonly string[];
  readonly links: Links;
  /**
   * Of `links`, those made in chat while the file manages this person: kept beside what the file says, which wins. They
   * outlive reloads and go with the person.
   */
  readonly chatLinks?: Links;
  /** Who gave them their links and their address, where a person did. */
  readonly origins?: Origins;
  /** Who keeps this record: the configuration file, the API, or we ourselves (`id_admin`). */
  readonly managedBy: "file" | "api" | "built-in";
  /** The configuration file lists them; always true for the other two. */
  readonly listed: boolean;
  /** The administrator's switch, which outlives reloads of the file. */
  readonly enabled: boolean;
}

/** Who gave somebody a way to be recognised, and everyone who had given that person theirs. */
export interface Origin {
  readonly by: readonly IdentityId[];
  readonly at: Instant;
  /** It came with the identity itself. */
  readonly atCreation: boolean;
}

/** Ways that a person gave; what the configuration file says came from nobody. */
export interface Origins {
  readonly slack?: Origin;
  readonly teams?: Origin;
  readonly email?: Origin;
}

export interface Links {
  readonly slack?: { readonly teamId: string; readonly userId: string };
  readonly teams?: { readonly tenantId: string; readonly aadObjectId: string };
}

/** An account at a chat platform, as the platform has proven it. */
export interface ChatAccount {
  readonly surface: "slack" | "teams";
  /** Slack: enterprise or team id. Teams: tenant id. */
  readonly team: string;
  /** Slack: user id. Teams: `aadObjectId`. */
  readonly user: string;
}

/** The text by which an account belongs to one identity only. */
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
 * Who may decide a stage, as the policy's author wrote it. Frozen on the request; membership is read at each press. An
 * address that meant somebody when it was frozen means that identity from then on, whatever their address becomes.
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
 * Any name a directory may have for a group, on one line and without white space at its ends, which nobody can see. It is
 * compared exactly.
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

/** Reads `a@b.c`, `group:dba`, `identity:id_lead`, `manager`, `slack-usergroup:S0123`; undefined for anything else. */
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
      // An address means the same with and without the word before it.
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

/** The text that two selectors share when they mean the same people: an address that is resolved is an identity. */
export function selectorKey(selector: Selector): string {
  return selector.kind === "email" && selector.id !== undefined
    ? formatSelector({ kind: "identity", id: selector.id })
    : formatSelector(selector);
}

/**
 * The selectors with every address bound to the active person who has it now. One that is nobody's stays an address,
 * so whoever gets it may decide. Groups and managers are not bound: they are read at each press.
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

/** The people one decision needs to know, read together from the store in the same moment. */
export interface Directory {
  identity(id: IdentityId): Identity | undefined;
  /** Active humans the selector means for this subject, each once. */
  people(selector: Selector, subjectId: IdentityId): readonly Identity[];
}

/** What {@link directoryOf} needs to be given so that it can answer for these selectors. */
export interface DirectoryQuery {
  readonly ids: readonly IdentityId[];
  readonly selectors: readonly Selector[];
  /** Whoever these accounts are linked to, as {@link linkName} writes them. */
  readonly links?: readonly string[];
}

/** Who is in which Slack user group, by group id; a group that is not in it has nobody as far as we know. */
export type GroupMembers = ReadonlyMap<string, ReadonlySet<IdentityId>>;

/** A directory over identities already loaded. Without `members` a Slack user group means nobody. */
export function directoryOf(identities: readonly Identity[], members: GroupMembers = new Map()): Directory {
  const byId = new Map(identities.map((identity) => [identity.id, identity]));
  const matches = (selector: Selector, subjectId: IdentityId, one: Identity): boolean => {
    switch (selector.kind) {
      case "email":
        return selector.id === undefined
          ? one.email?.toLowerCase() === selector.email
          : one.id === selector.id;
      case "group":
        return one.groups.includes(selector.group);
      case "identity":
        return one.id === selector.id;
      case "manager":
        return byId.get(subjectId)?.managerId === one.id;
      case "slack-usergroup":
        return members.get(selector.id)?.has(one.id) === true;
    }
  };
  return {
    identity: (id) => byId.get(id),
    people: (selector, subjectId) =>
      [...byId.values()].filter(
        (one) => one.kind === "HUMAN" && isActive(one) && matches(selector, subjectId, one),
      ),
  };
}

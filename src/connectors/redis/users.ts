import type { Rights } from "../../service/ports/connector.ts";
import {
  formatLabel,
  readLabel,
  sha256Hex,
  type FoundLabel,
  type Label,
  type Owner,
} from "../shared/label.ts";
import type { Send } from "./server.ts";
import { explainedFault } from "../shared/explained-fault.ts";

/**
 * Redis keeps no comment with a user. So the label is the key pattern of a selector that allows no command: it gives no
 * right to anything, stands in `ACL LIST`, and goes with its user.
 */
const labelStart = "(~jit-label:";
const labelPattern = /\(~jit-label:([A-Za-z0-9_-]+) [^()]*\)/;

/** Allows only connecting, authenticating and selecting a database. Rights are in selectors, one for each action. */
const rootRules = [
  "resetkeys",
  "resetchannels",
  "clearselectors",
  "-@all",
  "+@connection",
  "-@dangerous",
  "-@admin",
];

/** A user of ours as listed by `ACL LIST`. */
export interface FoundUser {
  readonly object: string;
  readonly label: FoundLabel;
  /** Digest of its rights as Redis lists them, without passwords, label and the on/off state. */
  readonly digest: string;
  readonly isOpenToAll: boolean;
  readonly passwords: number;
}

/** In a selector, a space starts another rule and a bracket ends the selector. */
const singleRule = /^[~&%+-][^\s()]{0,200}$/u;

/** @throws ConnectorFault when a stored rule would be more than one rule at the server. */
export function assertSingleRules(owner: Owner, rights: Rights): void {
  const rules = Object.values(rights).flat();
  if (rules.every((rule) => singleRule.test(rule))) return;
  throw explainedFault("invalid_input", owner.connector, "a rule holds a space or a bracket", {
    retryable: false,
  });
}

/** The rules that give a user exactly the rights of its grant. Passwords and the on/off state are kept. */
export function userRules(owner: Owner, rights: Rights, label: Label): readonly string[] {
  assertSingleRules(owner, rights);
  const selectors = Object.values(rights).map((rules) => `(${rules.join(" ")})`);
  const text = Buffer.from(formatLabel(owner, label)).toString("base64url");
  return [...rootRules, ...selectors, `${labelStart}${text} -@all)`];
}

/** All users with our label. */
export async function findUsers(send: Send, owner: Owner): Promise<readonly FoundUser[]> {
  return (await lines(send)).flatMap((line) => userOf(owner, line) ?? []);
}

/** The user of this name. @throws ConnectorFault when it does not have our label. */
export async function findUser(send: Send, owner: Owner, object: string): Promise<FoundUser | undefined> {
  const line = (await lines(send)).find((user) => user.startsWith(`user ${object} `));
  if (line === undefined) return undefined;
  const user = userOf(owner, line);
  if (user !== undefined) return user;
  throw explainedFault(
    "foreign_object",
    owner.connector,
    `the user ${object} does not have our label, so it is not touched.`,
    { retryable: false },
  );
}

async function lines(send: Send): Promise<readonly string[]> {
  const answer = await send("ACL", "LIST");
  return Array.isArray(answer) ? answer.map(String) : [];
}

function userOf(owner: Owner, line: string): FoundUser | undefined {
  const text = labelPattern.exec(line)?.[1];
  const label = text === undefined ? undefined : readLabel(owner, Buffer.from(text, "base64url").toString());
  if (label === undefined) return undefined;
  const [, object = "", ...words] = line.replace(labelPattern, "").split(" ");
  const passwords = words.filter((word) => /^#[0-9a-f]{64}$/.test(word));
  const rest = words.filter(
    (word) => word !== "" && word !== "on" && word !== "off" && !passwords.includes(word),
  );
  return {
    object,
    label,
    digest: sha256Hex(rest.join(" ")).slice(0, 32),
    isOpenToAll: words.includes("nopass"),
    passwords: passwords.length,
  };
}

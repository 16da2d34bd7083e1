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

/** May greet, authenticate and choose a database, nothing else; rights are in the selectors, one for each action. */
const rootRules = [
  "resetkeys",
  "resetchannels",
  "clearselectors",
  "-@all",
  "+@connection",
  "-@dangerous",
  "-@admin",
];

/** A user of ours as `ACL LIST` has it. */
export interface FoundUser {
  readonly object: string;
  readonly label: FoundLabel;
  /** Of everything it may do, as Redis itself words it; without its passwords, its label and whether it is on. */
  readonly digest: string;
  readonly isOpenToAll: boolean;
  readonly passwords: number;
}

/** In a selector a space begins another rule and a bracket ends them all. */
const oneRule = /^[~&%+-][^\s()]{0,200}$/u;

/** @throws ConnectorFault when a rule of a frozen order would be more than one at the server. */
export function assertSingleRules(owner: Owner, rights: Rights): void {
  const rules = Object.values(rights).flat();
  if (rules.every((rule) => oneRule.test(rule))) return;
  throw explainedFault("invalid_input", owner.connector, "a rule holds a space or a bracket", {
    retryable: false,
  });
}

/** The rules that make a user what its grant says, whatever it was; its passwords and whether it is on stay. */
export function userRules(owner: Owner, rights: Rights, label: Label): readonly string[] {
  assertSingleRules(owner, rights);
  const selectors = Object.values(rights).map((rules) => `(${rules.join(" ")})`);
  const text = Buffer.from(formatLabel(owner, label)).toString("base64url");
  return [...rootRules, ...selectors, `${labelStart}${text} -@all)`];
}

/** All users that bear our label. */
export async function findUsers(send: Send, owner: Owner): Promise<readonly FoundUser[]> {
  return (await lines(send)).flatMap((line) => userOf(owner, line) ?? []);
}

/** The user of this name; a fault when somebody else's bears it. */
export async function findUser(send: Send, owner: Owner, object: string): Promise<FoundUser | undefined> {
  const line = (await lines(send)).find((one) => one.startsWith(`user ${object} `));
  if (line === undefined) return undefined;
  const user = userOf(owner, line);
  if (user !== undefined) return user;
  throw explainedFault(
    "foreign_object",
    owner.connector,
    `the user ${object} does not bear our label, so it is not touched.`,
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

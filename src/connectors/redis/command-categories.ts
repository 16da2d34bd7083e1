import { ErrorReply } from "redis";
import { isKnownCategory, isSafeCommand, unknownCommands } from "../../core/values/redis-commands.ts";
import type { Rights } from "../../service/ports/connector.ts";
import type { Send } from "./server.ts";
import { explainedFault } from "../shared/explained-fault.ts";

/** What the categories of some rules contain on this server. */
export interface CategoryContent {
  /** Commands that the rules allow and that are not known to be safe, such as newer ones and those of modules. */
  readonly unsafe: readonly string[];
  /** False: the broker may not read the categories, so only the built-in list counts. */
  readonly isAsked: boolean;
}

/** Reads the categories of these rules from the server and applies the rules in order, because the last one wins. */
export async function contentOf(send: Send, rules: readonly string[]): Promise<CategoryContent> {
  const known = new Map<string, readonly string[]>();
  const allowed = new Set<string>();
  for (const rule of rules) {
    const category = categoryOf(rule);
    if (category !== undefined && !known.has(category)) {
      const members = await membersOf(send, category);
      if (members === undefined) return { unsafe: [], isAsked: false };
      known.set(category, members);
    }
    const affected = category === undefined ? [rule.slice(1)] : (known.get(category) ?? []);
    for (const command of affected) {
      if (rule.startsWith("+")) allowed.add(command);
      else if (rule.startsWith("-")) remove(allowed, command);
    }
  }
  return { unsafe: [...allowed].filter((command) => !isSafeCommand(command)), isAsked: true };
}

/**
 * Removes the unsafe commands that the categories contain on this server. @throws ConnectorFault when a command is
 * named that is not known to be safe, or a category is unknown and the broker may not read it.
 */
export async function withoutUnsafe(send: Send, name: string, rights: Rights): Promise<Rights> {
  const limited: Record<string, readonly string[]> = {};
  for (const [action, rules] of Object.entries(rights)) {
    const commands = rules.filter((rule) => /^[+-]/.test(rule));
    const named = unknownCommands(commands);
    if (named.length > 0) {
      const why = `${named.join(", ")} of the action ${action} ${named.length === 1 ? "is" : "are"} not known to stay within its keys and channels`;
      throw explainedFault("refused", name, why, { retryable: false });
    }
    const { unsafe, isAsked } = await contentOf(
      send,
      commands.filter((rule) => rule !== "-@all"),
    );
    const unknown = isAsked ? undefined : commands.find(isOfUnknownCategory);
    if (unknown !== undefined) {
      const why = `what ${unknown} gives is not known, and the broker may not ask (+acl|cat)`;
      throw explainedFault("not_permitted", name, why, { retryable: false });
    }
    limited[action] = [...rules, ...unsafe.map((command) => `-${command}`)];
  }
  return limited;
}

function isOfUnknownCategory(rule: string): boolean {
  const category = rule.startsWith("+") ? categoryOf(rule) : undefined;
  return category !== undefined && !isKnownCategory(category);
}

function categoryOf(rule: string): string | undefined {
  return /^[+-]@(.+)$/.exec(rule)?.[1];
}

/** Removes a command with its subcommands. */
function remove(allowed: Set<string>, command: string): void {
  allowed.delete(command);
  for (const other of allowed) if (other.startsWith(`${command}|`)) allowed.delete(other);
}

/** The commands of a category; undefined: the broker may not read it. */
async function membersOf(send: Send, category: string): Promise<readonly string[] | undefined> {
  try {
    const reply = await send("ACL", "CAT", category);
    return Array.isArray(reply) ? reply.map((command) => String(command).toLowerCase()) : undefined;
  } catch (error) {
    if (error instanceof ErrorReply && error.message.startsWith("NOPERM")) return undefined;
    throw error;
  }
}

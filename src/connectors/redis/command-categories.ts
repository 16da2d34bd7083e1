import { ErrorReply } from "redis";
import { isKnownCategory, isSafeCommand, unknownCommands } from "../../core/values/redis-commands.ts";
import type { Rights } from "../../service/ports/connector.ts";
import type { Send } from "./server.ts";
import { explainedFault } from "../shared/explained-fault.ts";

/** What the server said of the categories of some rules. */
export interface CategoryContent {
  /** Given by the rules, and not known to be safe: newer commands, commands of modules. */
  readonly unsafe: readonly string[];
  /** False: the broker may not ask, so only what is known of every server counts. */
  readonly isAsked: boolean;
}

/** Asks the server what the categories of these rules hold, and follows the rules in their order: the last one counts. */
export async function contentOf(send: Send, rules: readonly string[]): Promise<CategoryContent> {
  const known = new Map<string, readonly string[]>();
  const given = new Set<string>();
  for (const rule of rules) {
    const category = categoryOf(rule);
    if (category !== undefined && !known.has(category)) {
      const members = await membersOf(send, category);
      if (members === undefined) return { unsafe: [], isAsked: false };
      known.set(category, members);
    }
    const touched = category === undefined ? [rule.slice(1)] : (known.get(category) ?? []);
    for (const command of touched) {
      if (rule.startsWith("+")) given.add(command);
      else if (rule.startsWith("-")) remove(given, command);
    }
  }
  return { unsafe: [...given].filter((command) => !isSafeCommand(command)), isAsked: true };
}

/**
 * The rights without what the server's categories hold beyond safe commands. @throws ConnectorFault when a command is
 * given by name and not known to be safe, or a category is not known and the server may not be asked.
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

/** A command goes with its subcommands. */
function remove(given: Set<string>, command: string): void {
  given.delete(command);
  for (const one of given) if (one.startsWith(`${command}|`)) given.delete(one);
}

/** Undefined: the broker may not ask. */
async function membersOf(send: Send, category: string): Promise<readonly string[] | undefined> {
  try {
    const answer = await send("ACL", "CAT", category);
    return Array.isArray(answer) ? answer.map((one) => String(one).toLowerCase()) : undefined;
  } catch (error) {
    if (error instanceof ErrorReply && error.message.startsWith("NOPERM")) return undefined;
    throw error;
  }
}

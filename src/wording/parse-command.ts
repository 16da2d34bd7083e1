import { parseId } from "../core/values/ids.ts";
import { parseScope } from "../core/values/scopes.ts";
import { readClauses } from "./clauses.ts";
import { readDuration } from "./duration-words.ts";
import { closestMatch } from "./closest-match.ts";
import { pastedText } from "./pasted-text.ts";
import { tokenize, textBetween, type CommandToken } from "./tokenize.ts";

/** Every command of `/jit`, in the order help lists them. */
export const commandNames = [
  "request",
  "list",
  "status",
  "approve",
  "deny",
  "revoke",
  "cancel",
  "done",
  "extend",
  "break-glass",
  "why",
  "link",
  "home",
  "help",
] as const;
export type CommandName = (typeof commandNames)[number];

/** What was asked for, as it was typed; null for what was left out. */
export interface TypedRequest {
  readonly scopes: readonly string[];
  readonly duration: string | null;
  readonly reason: string | null;
  readonly ticket: string | null;
}

/** One command, understood. Ids are whole (`jit_…`); null words were not given. */
export type Command =
  | { readonly verb: "menu" | "list" | "link" | "home" }
  | { readonly verb: "help"; readonly topic: CommandName | null }
  | ({ readonly verb: "request" | "break-glass" } & TypedRequest)
  | { readonly verb: "why"; readonly scopes: readonly string[]; readonly duration: string | null }
  | { readonly verb: "status"; readonly id: string }
  | {
      readonly verb: "approve";
      readonly id: string;
      readonly duration: string | null;
      readonly comment: string | null;
    }
  | {
      readonly verb: "deny" | "revoke" | "cancel" | "done";
      readonly id: string;
      readonly reason: string | null;
    }
  | {
      readonly verb: "extend";
      readonly id: string;
      readonly duration: string | null;
      readonly reason: string | null;
    };

/** What could not be understood, in one sentence, and what was probably meant, as it would be typed after `/jit`. */
export interface CommandError {
  readonly error: string;
  readonly didYouMean: string | null;
  /** The command it is about, for its help. */
  readonly topic: CommandName | null;
}

/** Reads what was typed after `/jit`. Total: any text is a command or a mistake. */
export function parseCommand(typedText: string): Command | CommandError {
  const text = pastedText(typedText);
  const all = tokenize(text);
  const words = all.slice(all[0]?.key === "/jit" || all[0]?.key === "jit" ? 1 : 0);
  const [first, second] = words;
  if (first === undefined) return { verb: "menu" };
  const typed = first.text
    .toLowerCase()
    .replaceAll("_", "-")
    .replaceAll(/[.!:;]+$/g, "");
  if (typed === "break" && second?.key === "glass") return withRest(text, "break-glass", words.slice(2));
  const verb = typed === "breakglass" ? "break-glass" : commandNames.find((name) => name === typed);
  return verb === undefined ? unknown(text, typed, words) : withRest(text, verb, words.slice(1));
}

/** Other words for the same thing, for guessing only. */
const synonyms: ReadonlyMap<string, CommandName> = new Map([
  ...synonymsFor("request", "ask", "access", "get", "need", "want", "new"),
  ...synonymsFor("list", "ls", "mine", "requests"),
  ...synonymsFor("status", "show", "get", "info", "details", "view"),
  ...synonymsFor("approve", "accept", "allow", "yes", "ok"),
  ...synonymsFor("deny", "reject", "decline", "refuse", "no"),
  ...synonymsFor("revoke", "end", "kill", "stop"),
  ...synonymsFor("cancel", "withdraw", "abort"),
  ...synonymsFor("done", "finish", "finished", "complete", "completed", "return"),
  ...synonymsFor("extend", "renew", "prolong", "longer"),
  ...synonymsFor("break-glass", "emergency", "bg"),
  ...synonymsFor("why", "explain", "check", "evaluate", "can"),
  ...synonymsFor("help", "?", "-h", "--help", "commands"),
]);

function synonymsFor(
  name: CommandName,
  ...words: readonly string[]
): readonly (readonly [string, CommandName])[] {
  return words.map((word) => [word, name] as const);
}

function unknown(text: string, typed: string, words: readonly CommandToken[]): CommandError {
  const error = `There is no command "${typed.slice(0, 40)}".`;
  const rest = textBetween(text, words[1], words.at(-1));
  const completed = (name: string, more: string | null): CommandError => ({
    error,
    didYouMean: more === null ? name : `${name} ${more}`,
    topic: null,
  });
  if (typed === "?") return { error, didYouMean: "help", topic: null };
  const whole = textBetween(text, words[0], words.at(-1));
  if (scopeOf(words[0]) !== undefined) return completed("request", whole);
  if (typed.startsWith("jit-")) return completed("status", idOf(words[0]) ?? null);
  const name =
    closestMatch(typed, commandNames) ?? synonyms.get(typed) ?? closestMatch(typed, [...synonyms.keys()]);
  if (name === undefined) return { error, didYouMean: null, topic: null };
  return completed(synonyms.get(name) ?? name, rest);
}

function withRest(text: string, verb: CommandName, words: readonly CommandToken[]): Command | CommandError {
  switch (verb) {
    case "list":
    case "link":
    case "home":
      return words.length === 0 ? { verb } : commandError(verb, `"${verb}" takes nothing more.`, verb);
    case "help":
      return help(words);
    case "request":
    case "break-glass":
      return ask(text, verb, words);
    case "why":
      return why(text, words);
    case "status": {
      const id = idOf(words[0]);
      if (id === undefined) return wantsId(verb, words);
      return words.length === 1
        ? { verb, id }
        : commandError(verb, `"status" takes one request id.`, `status ${id}`);
    }
    case "approve":
    case "extend":
      return timed(text, verb, words);
    case "deny":
    case "revoke":
    case "cancel":
    case "done": {
      const id = idOf(words[0]);
      if (id === undefined) return wantsId(verb, words);
      const from = words[1]?.key === "because" ? 2 : 1;
      return { verb, id, reason: textBetween(text, words[from], words.at(-1)) };
    }
  }
}

function help(words: readonly CommandToken[]): Command | CommandError {
  if (words.length === 0) return { verb: "help", topic: null };
  const typed = words
    .map((word) => word.text.toLowerCase())
    .join("-")
    .replaceAll("_", "-")
    .replace(/^\/?jit-/, "");
  const topic = commandNames.find((name) => name === typed);
  if (topic !== undefined) return { verb: "help", topic };
  const near = closestMatch(typed, commandNames) ?? synonyms.get(typed);
  const didYouMean = near === undefined ? "help" : `help ${near}`;
  return { error: `There is no command "${typed.slice(0, 40)}".`, didYouMean, topic: null };
}

function ask(
  text: string,
  verb: "request" | "break-glass",
  words: readonly CommandToken[],
): Command | CommandError {
  const clauses = readClauses(text, words);
  if (typeof clauses === "string") return commandError(verb, clauses, null);
  const { reason, ticket, stray } = clauses;
  if (stray !== null) return commandError(verb, `"${stray.slice(0, 60)}" is not understood here.`, null);
  const head = readScopes(clauses.head);
  if ("wrong" in head) return notAScope(verb, head.wrong);
  return { verb, scopes: head.scopes, duration: clauses.duration ?? head.duration, reason, ticket };
}

function why(text: string, words: readonly CommandToken[]): Command | CommandError {
  const clauses = readClauses(text, words);
  if (typeof clauses === "string") return commandError("why", clauses, null);
  const head = readScopes(clauses.head);
  if ("wrong" in head) return notAScope("why", head.wrong);
  if (head.scopes.length === 0)
    return commandError("why", "Say which access, such as read:prod:orders-db.", null);
  return { verb: "why", scopes: head.scopes, duration: clauses.duration ?? head.duration };
}

/** `approve <id> [for 1h] [because …]`, `extend <id> for 1h because …`; words without a keyword are a comment. */
function timed(
  text: string,
  verb: "approve" | "extend",
  words: readonly CommandToken[],
): Command | CommandError {
  const id = idOf(words[0]);
  if (id === undefined) return wantsId(verb, words);
  const rest = words.slice(1);
  const clauses = readClauses(text, rest);
  if (typeof clauses === "string") return commandError(verb, clauses, null);
  const [only] = clauses.head;
  const bare = clauses.head.length === 1 && only?.isQuoted === false ? readDuration(only.text) : undefined;
  const uncued = bare === undefined ? textBetween(text, only, clauses.head.at(-1)) : null;
  const rawText = [uncued, clauses.reason, clauses.stray].filter((one) => one !== null);
  const comment = rawText.length === 0 ? null : rawText.join(" ");
  const duration = clauses.duration ?? bare ?? null;
  return verb === "approve" ? { verb, id, duration, comment } : { verb, id, duration, reason: comment };
}

const filler: ReadonlySet<string> = new Set(["and", "&", "+", "access", "to"]);

function readScopes(
  words: readonly CommandToken[],
): { readonly scopes: readonly string[]; readonly duration: string | null } | { readonly wrong: string } {
  const scopes: string[] = [];
  let duration: string | null = null;
  // What was quoted together was typed together.
  for (const word of words.flatMap((one) => (one.isQuoted ? tokenize(one.text) : [one]))) {
    const scope = scopeOf(word);
    const time = word.text.includes(":") ? undefined : readDuration(word.text);
    if (scope !== undefined) scopes.push(scope);
    else if (time !== undefined && duration === null) duration = time;
    else if (!filler.has(word.key)) return { wrong: word.text };
  }
  return { scopes, duration };
}

/** Actions are lower case by their grammar; phones begin sentences otherwise. The resource stays as it is. */
function scopeOf(word: CommandToken | undefined): string | undefined {
  if (word === undefined) return undefined;
  const text = word.text.replace(/^[^:]*/, (action) => action.toLowerCase());
  return parseScope(text);
}

/** Request ids are lower case; they are typed with `jit_` or without, and pasted with what stood around them. */
function idOf(word: CommandToken | undefined): string | undefined {
  const bare = word?.text.toLowerCase().replaceAll(/^[#<(`]+|[>)`.,;:!?]+$/g, "");
  if (bare === undefined || bare === "" || bare === "because" || bare === "for") return undefined;
  return parseId("request", bare.startsWith("jit_") ? bare : `jit_${bare}`);
}

function wantsId(verb: CommandName, words: readonly CommandToken[]): CommandError {
  const shown = words[0]?.text.slice(0, 40) ?? "";
  const error =
    words.length === 0 || shown === "because" || shown === "for"
      ? `Say which request: its id stands on its card, jit_ and some letters.`
      : `"${shown}" is no request id: it is jit_ and some letters, and stands on the card.`;
  return commandError(verb, error, null);
}

function notAScope(verb: CommandName, wrong: string): CommandError {
  return commandError(
    verb,
    `"${wrong.slice(0, 60)}" is no scope. A scope is action:resource, such as read:prod:orders-db; a reason comes after "because".`,
    null,
  );
}

function commandError(topic: CommandName, error: string, didYouMean: string | null): CommandError {
  return { error, didYouMean, topic };
}

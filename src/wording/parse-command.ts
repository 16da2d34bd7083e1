import { parseId } from "../core/values/ids.ts";
import { parseScope } from "../core/values/scopes.ts";
import { readClauses } from "./clauses.ts";
import { readDuration } from "./duration-words.ts";
import { nearestOf } from "./closest-match.ts";
import { pastedText } from "./pasted-text.ts";
import { typedWords, wordsBetween, type TypedWord } from "./tokenize.ts";

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
export interface TypedAsk {
  readonly scopes: readonly string[];
  readonly duration: string | null;
  readonly reason: string | null;
  readonly ticket: string | null;
}

/** One command, understood. Ids are whole (`jit_…`); null words were not given. */
export type Command =
  | { readonly verb: "menu" | "list" | "link" | "home" }
  | { readonly verb: "help"; readonly topic: CommandName | null }
  | ({ readonly verb: "request" | "break-glass" } & TypedAsk)
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
export interface Mistake {
  readonly mistake: string;
  readonly didYouMean: string | null;
  /** The command it is about, for its help. */
  readonly topic: CommandName | null;
}

/** Reads what was typed after `/jit`. Total: any text is a command or a mistake. */
export function parseCommand(typedText: string): Command | Mistake {
  const text = pastedText(typedText);
  const all = typedWords(text);
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
const otherWords: ReadonlyMap<string, CommandName> = new Map([
  ...spoken("request", "ask", "access", "get", "need", "want", "new"),
  ...spoken("list", "ls", "mine", "requests"),
  ...spoken("status", "show", "get", "info", "details", "view"),
  ...spoken("approve", "accept", "allow", "yes", "ok"),
  ...spoken("deny", "reject", "decline", "refuse", "no"),
  ...spoken("revoke", "end", "kill", "stop"),
  ...spoken("cancel", "withdraw", "abort"),
  ...spoken("done", "finish", "finished", "complete", "completed", "return"),
  ...spoken("extend", "renew", "prolong", "longer"),
  ...spoken("break-glass", "emergency", "bg"),
  ...spoken("why", "explain", "check", "evaluate", "can"),
  ...spoken("help", "?", "-h", "--help", "commands"),
]);

function spoken(name: CommandName, ...words: readonly string[]): readonly (readonly [string, CommandName])[] {
  return words.map((word) => [word, name] as const);
}

function unknown(text: string, typed: string, words: readonly TypedWord[]): Mistake {
  const mistake = `There is no command "${typed.slice(0, 40)}".`;
  const rest = wordsBetween(text, words[1], words.at(-1));
  const completed = (name: string, more: string | null): Mistake => ({
    mistake,
    didYouMean: more === null ? name : `${name} ${more}`,
    topic: null,
  });
  if (typed === "?") return { mistake, didYouMean: "help", topic: null };
  const whole = wordsBetween(text, words[0], words.at(-1));
  if (scopeOf(words[0]) !== undefined) return completed("request", whole);
  if (typed.startsWith("jit-")) return completed("status", idOf(words[0]) ?? null);
  const name =
    nearestOf(typed, commandNames) ?? otherWords.get(typed) ?? nearestOf(typed, [...otherWords.keys()]);
  if (name === undefined) return { mistake, didYouMean: null, topic: null };
  return completed(otherWords.get(name) ?? name, rest);
}

function withRest(text: string, verb: CommandName, words: readonly TypedWord[]): Command | Mistake {
  switch (verb) {
    case "list":
    case "link":
    case "home":
      return words.length === 0 ? { verb } : mistaken(verb, `"${verb}" takes nothing more.`, verb);
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
        : mistaken(verb, `"status" takes one request id.`, `status ${id}`);
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
      return { verb, id, reason: wordsBetween(text, words[from], words.at(-1)) };
    }
  }
}

function help(words: readonly TypedWord[]): Command | Mistake {
  if (words.length === 0) return { verb: "help", topic: null };
  const typed = words
    .map((word) => word.text.toLowerCase())
    .join("-")
    .replaceAll("_", "-")
    .replace(/^\/?jit-/, "");
  const topic = commandNames.find((name) => name === typed);
  if (topic !== undefined) return { verb: "help", topic };
  const near = nearestOf(typed, commandNames) ?? otherWords.get(typed);
  const didYouMean = near === undefined ? "help" : `help ${near}`;
  return { mistake: `There is no command "${typed.slice(0, 40)}".`, didYouMean, topic: null };
}

function ask(text: string, verb: "request" | "break-glass", words: readonly TypedWord[]): Command | Mistake {
  const clauses = readClauses(text, words);
  if (typeof clauses === "string") return mistaken(verb, clauses, null);
  const { reason, ticket, stray } = clauses;
  if (stray !== null) return mistaken(verb, `"${stray.slice(0, 60)}" is not understood here.`, null);
  const head = readScopes(clauses.head);
  if ("wrong" in head) return notAScope(verb, head.wrong);
  return { verb, scopes: head.scopes, duration: clauses.duration ?? head.duration, reason, ticket };
}

function why(text: string, words: readonly TypedWord[]): Command | Mistake {
  const clauses = readClauses(text, words);
  if (typeof clauses === "string") return mistaken("why", clauses, null);
  const head = readScopes(clauses.head);
  if ("wrong" in head) return notAScope("why", head.wrong);
  if (head.scopes.length === 0)
    return mistaken("why", "Say which access, such as read:prod:orders-db.", null);
  return { verb: "why", scopes: head.scopes, duration: clauses.duration ?? head.duration };
}

/** `approve <id> [for 1h] [because …]`, `extend <id> for 1h because …`; words without a keyword are a comment. */
function timed(text: string, verb: "approve" | "extend", words: readonly TypedWord[]): Command | Mistake {
  const id = idOf(words[0]);
  if (id === undefined) return wantsId(verb, words);
  const rest = words.slice(1);
  const clauses = readClauses(text, rest);
  if (typeof clauses === "string") return mistaken(verb, clauses, null);
  const [only] = clauses.head;
  const bare = clauses.head.length === 1 && only?.isQuoted === false ? readDuration(only.text) : undefined;
  const uncued = bare === undefined ? wordsBetween(text, only, clauses.head.at(-1)) : null;
  const said = [uncued, clauses.reason, clauses.stray].filter((one) => one !== null);
  const comment = said.length === 0 ? null : said.join(" ");
  const duration = clauses.duration ?? bare ?? null;
  return verb === "approve" ? { verb, id, duration, comment } : { verb, id, duration, reason: comment };
}

const filler: ReadonlySet<string> = new Set(["and", "&", "+", "access", "to"]);

function readScopes(
  words: readonly TypedWord[],
): { readonly scopes: readonly string[]; readonly duration: string | null } | { readonly wrong: string } {
  const scopes: string[] = [];
  let duration: string | null = null;
  // What was quoted together was typed together.
  for (const word of words.flatMap((one) => (one.isQuoted ? typedWords(one.text) : [one]))) {
    const scope = scopeOf(word);
    const time = word.text.includes(":") ? undefined : readDuration(word.text);
    if (scope !== undefined) scopes.push(scope);
    else if (time !== undefined && duration === null) duration = time;
    else if (!filler.has(word.key)) return { wrong: word.text };
  }
  return { scopes, duration };
}

/** Actions are lower case by their grammar; phones begin sentences otherwise. The resource stays as it is. */
function scopeOf(word: TypedWord | undefined): string | undefined {
  if (word === undefined) return undefined;
  const text = word.text.replace(/^[^:]*/, (action) => action.toLowerCase());
  return parseScope(text);
}

/** Request ids are lower case; they are typed with `jit_` or without, and pasted with what stood around them. */
function idOf(word: TypedWord | undefined): string | undefined {
  const bare = word?.text.toLowerCase().replaceAll(/^[#<(`]+|[>)`.,;:!?]+$/g, "");
  if (bare === undefined || bare === "" || bare === "because" || bare === "for") return undefined;
  return parseId("request", bare.startsWith("jit_") ? bare : `jit_${bare}`);
}

function wantsId(verb: CommandName, words: readonly TypedWord[]): Mistake {
  const shown = words[0]?.text.slice(0, 40) ?? "";
  const mistake =
    words.length === 0 || shown === "because" || shown === "for"
      ? `Say which request: its id stands on its card, jit_ and some letters.`
      : `"${shown}" is no request id: it is jit_ and some letters, and stands on the card.`;
  return mistaken(verb, mistake, null);
}

function notAScope(verb: CommandName, wrong: string): Mistake {
  return mistaken(
    verb,
    `"${wrong.slice(0, 60)}" is no scope. A scope is action:resource, such as read:prod:orders-db; a reason comes after "because".`,
    null,
  );
}

function mistaken(topic: CommandName, mistake: string, didYouMean: string | null): Mistake {
  return { mistake, didYouMean, topic };
}

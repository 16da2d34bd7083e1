import { parseId } from "../core/values/ids.ts";
import { parseScope } from "../core/values/scopes.ts";
import { parseClauses } from "./clauses.ts";
import { readDuration } from "./duration-words.ts";
import { closestMatch } from "./closest-match.ts";
import { removeJoiners } from "./pasted-text.ts";
import { tokenize, textBetween, type CommandToken } from "./tokenize.ts";

/** Every command of `/jit`, in the order of the help. */
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

/** A typed request; null for parts that were omitted. */
export interface TypedRequest {
  readonly scopes: readonly string[];
  readonly duration: string | null;
  readonly reason: string | null;
  readonly ticket: string | null;
}

/** A parsed command. Ids are complete (`jit_…`); null parts were omitted. */
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

/** Why a command could not be parsed, in one sentence. `didYouMean`: the command probably meant, without `/jit`. */
export interface CommandError {
  readonly error: string;
  readonly didYouMean: string | null;
  /** The command whose help to show. */
  readonly topic: CommandName | null;
}

/** Parses the text after `/jit`. Every text is a command or an error. */
export function parseCommand(typedText: string): Command | CommandError {
  const text = removeJoiners(typedText);
  const allTokens = tokenize(text);
  const tokens = allTokens.slice(allTokens[0]?.key === "/jit" || allTokens[0]?.key === "jit" ? 1 : 0);
  const [first, second] = tokens;
  if (first === undefined) return { verb: "menu" };
  const typed = first.text
    .toLowerCase()
    .replaceAll("_", "-")
    .replaceAll(/[.!:;]+$/g, "");
  if (typed === "break" && second?.key === "glass") return parseVerb(text, "break-glass", tokens.slice(2));
  const verb = typed === "breakglass" ? "break-glass" : commandNames.find((name) => name === typed);
  return verb === undefined ? unknownCommand(text, typed, tokens) : parseVerb(text, verb, tokens.slice(1));
}

/** Synonyms, used only for suggestions. */
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

function unknownCommand(text: string, typed: string, tokens: readonly CommandToken[]): CommandError {
  const error = `There is no command "${typed.slice(0, 40)}".`;
  const rest = textBetween(text, tokens[1], tokens.at(-1));
  const suggest = (name: string, more: string | null): CommandError => ({
    error,
    didYouMean: more === null ? name : `${name} ${more}`,
    topic: null,
  });
  if (typed === "?") return { error, didYouMean: "help", topic: null };
  const typedLine = textBetween(text, tokens[0], tokens.at(-1));
  if (scopeOf(tokens[0]) !== undefined) return suggest("request", typedLine);
  if (typed.startsWith("jit-")) return suggest("status", idOf(tokens[0]) ?? null);
  const name =
    closestMatch(typed, commandNames) ?? synonyms.get(typed) ?? closestMatch(typed, [...synonyms.keys()]);
  if (name === undefined) return { error, didYouMean: null, topic: null };
  return suggest(synonyms.get(name) ?? name, rest);
}

function parseVerb(text: string, verb: CommandName, tokens: readonly CommandToken[]): Command | CommandError {
  switch (verb) {
    case "list":
    case "link":
    case "home":
      return tokens.length === 0 ? { verb } : commandError(verb, `"${verb}" takes nothing more.`, verb);
    case "help":
      return parseHelp(tokens);
    case "request":
    case "break-glass":
      return parseRequest(text, verb, tokens);
    case "why":
      return parseWhy(text, tokens);
    case "status": {
      const id = idOf(tokens[0]);
      if (id === undefined) return missingId(verb, tokens);
      return tokens.length === 1
        ? { verb, id }
        : commandError(verb, `"status" takes one request id.`, `status ${id}`);
    }
    case "approve":
    case "extend":
      return parseTimed(text, verb, tokens);
    case "deny":
    case "revoke":
    case "cancel":
    case "done": {
      const id = idOf(tokens[0]);
      if (id === undefined) return missingId(verb, tokens);
      const from = tokens[1]?.key === "because" ? 2 : 1;
      return { verb, id, reason: textBetween(text, tokens[from], tokens.at(-1)) };
    }
  }
}

function parseHelp(tokens: readonly CommandToken[]): Command | CommandError {
  if (tokens.length === 0) return { verb: "help", topic: null };
  const typed = tokens
    .map(({ text }) => text.toLowerCase())
    .join("-")
    .replaceAll("_", "-")
    .replace(/^\/?jit-/, "");
  const topic = commandNames.find((name) => name === typed);
  if (topic !== undefined) return { verb: "help", topic };
  const similar = closestMatch(typed, commandNames) ?? synonyms.get(typed);
  const didYouMean = similar === undefined ? "help" : `help ${similar}`;
  return { error: `There is no command "${typed.slice(0, 40)}".`, didYouMean, topic: null };
}

function parseRequest(
  text: string,
  verb: "request" | "break-glass",
  tokens: readonly CommandToken[],
): Command | CommandError {
  const clauses = parseClauses(text, tokens);
  if (typeof clauses === "string") return commandError(verb, clauses, null);
  const { reason, ticket, stray } = clauses;
  if (stray !== null) return commandError(verb, `"${stray.slice(0, 60)}" is not understood here.`, null);
  const head = parseScopes(clauses.head);
  if ("wrong" in head) return notAScope(verb, head.wrong);
  return { verb, scopes: head.scopes, duration: clauses.duration ?? head.duration, reason, ticket };
}

function parseWhy(text: string, tokens: readonly CommandToken[]): Command | CommandError {
  const clauses = parseClauses(text, tokens);
  if (typeof clauses === "string") return commandError("why", clauses, null);
  const head = parseScopes(clauses.head);
  if ("wrong" in head) return notAScope("why", head.wrong);
  if (head.scopes.length === 0)
    return commandError("why", "Say which access, such as read:prod:orders-db.", null);
  return { verb: "why", scopes: head.scopes, duration: clauses.duration ?? head.duration };
}

/**
 * Parses `approve <id> [for 1h] [because …]` and `extend <id> for 1h because …`. Text without a keyword is the
 * comment.
 */
function parseTimed(
  text: string,
  verb: "approve" | "extend",
  tokens: readonly CommandToken[],
): Command | CommandError {
  const id = idOf(tokens[0]);
  if (id === undefined) return missingId(verb, tokens);
  const rest = tokens.slice(1);
  const clauses = parseClauses(text, rest);
  if (typeof clauses === "string") return commandError(verb, clauses, null);
  const [firstToken] = clauses.head;
  const bareDuration =
    clauses.head.length === 1 && firstToken?.isQuoted === false ? readDuration(firstToken.text) : undefined;
  const freeText = bareDuration === undefined ? textBetween(text, firstToken, clauses.head.at(-1)) : null;
  const commentParts = [freeText, clauses.reason, clauses.stray].filter((part) => part !== null);
  const comment = commentParts.length === 0 ? null : commentParts.join(" ");
  const duration = clauses.duration ?? bareDuration ?? null;
  return verb === "approve" ? { verb, id, duration, comment } : { verb, id, duration, reason: comment };
}

const fillerWords: ReadonlySet<string> = new Set(["and", "&", "+", "access", "to"]);

function parseScopes(
  tokens: readonly CommandToken[],
): { readonly scopes: readonly string[]; readonly duration: string | null } | { readonly wrong: string } {
  const scopes: string[] = [];
  let duration: string | null = null;
  // Quoted text may contain several scopes.
  for (const token of tokens.flatMap((part) => (part.isQuoted ? tokenize(part.text) : [part]))) {
    const scope = scopeOf(token);
    const time = token.text.includes(":") ? undefined : readDuration(token.text);
    if (scope !== undefined) scopes.push(scope);
    else if (time !== undefined && duration === null) duration = time;
    else if (!fillerWords.has(token.key)) return { wrong: token.text };
  }
  return { scopes, duration };
}

/** Lowers the case of the action, because phones capitalise the first letter. The resource is unchanged. */
function scopeOf(token: CommandToken | undefined): string | undefined {
  if (token === undefined) return undefined;
  const text = token.text.replace(/^[^:]*/, (action) => action.toLowerCase());
  return parseScope(text);
}

/** Parses a request id, with or without `jit_`, and without the punctuation that was pasted around it. */
function idOf(token: CommandToken | undefined): string | undefined {
  const idText = token?.text.toLowerCase().replaceAll(/^[#<(`]+|[>)`.,;:!?]+$/g, "");
  if (idText === undefined || idText === "" || idText === "because" || idText === "for") return undefined;
  return parseId("request", idText.startsWith("jit_") ? idText : `jit_${idText}`);
}

function missingId(verb: CommandName, tokens: readonly CommandToken[]): CommandError {
  const shown = tokens[0]?.text.slice(0, 40) ?? "";
  const error =
    tokens.length === 0 || shown === "because" || shown === "for"
      ? `Say which request: its id is on its card, jit_ and some letters.`
      : `"${shown}" is no request id: it is jit_ and some letters, and is on the card.`;
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

import { InvalidArgumentError, Option } from "commander";
import { parseScope, scopesPerRequestMax } from "../../core/values/scopes.ts";
import { formatInstant, parseDuration, parseInstant, plus } from "../../core/values/time.ts";
import { instant } from "../../core/values/ids.ts";
import { misuse } from "../io/failure.ts";

const durationForms = "A duration is 90s, 30m, 4h, 1h30m or 2d, from 1 second to 30 days.";

/** Checks a duration, so that a mistake is found before anything is sent. */
export function duration(text: string): string {
  if (parseDuration(text) === undefined) throw new InvalidArgumentError(durationForms);
  return text;
}

/** A duration in milliseconds. */
export function milliseconds(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError(durationForms);
  return ms;
}

/** Adds one scope to those given before. */
export function scope(text: string, before: readonly string[] = []): readonly string[] {
  if (parseScope(text) === undefined) {
    throw new InvalidArgumentError(
      "A scope is action:resource, such as read:prod:orders-db, without wildcards: the action of lower-case letters, digits and _.-, the resource of letters, digits and ._:/@-.",
    );
  }
  return [...before, text];
}

export function wholeNumber(text: string): string {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return text;
}

const pageSizeMax = 200;

/** The number of entries on a page, within the limits of the API. */
export function pageSize(text: string): string {
  const isSize = /^[1-9]\d{0,2}$/.test(text) && Number(text) <= pageSizeMax;
  if (!isSize) throw new InvalidArgumentError(`It must be a whole number from 1 to ${pageSizeMax}.`);
  return text;
}

/** Parses a time, a day (its midnight in UTC), or a distance from now: `2d`, `2d ago`, `in 30d`. */
export function pointInTime(direction: "past" | "future"): (text: string) => string {
  return (text) => {
    const distance = direction === "past" ? text.replace(/ ago$/, "") : text.replace(/^in /, "");
    const ms = parseDuration(distance);
    const time = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text;
    const at =
      ms === undefined ? parseInstant(time) : plus(instant(Date.now()), direction === "past" ? -ms : ms);
    if (at === undefined) {
      throw new InvalidArgumentError(
        "It must be a duration such as 2d, up to 30d, a day such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z.",
      );
    }
    return formatInstant(at);
  };
}

/** Text that must not be blank. */
export function nonEmptyText(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("It must not be empty.");
  return text;
}

/** A required `--reason`. */
export function reasonOption(description = "why; people will read it"): Option {
  return new Option("--reason <text>", description).argParser(nonEmptyText).makeOptionMandatory();
}

export function forOption(description: string): Option {
  return new Option("--for <duration>", description).argParser(duration);
}

/** A `--scope` that may be given once. */
export function oneScopeOption(description: string): Option {
  return new Option("--scope <scope>", description).argParser((text: string, before?: string) => {
    if (before !== undefined) throw new InvalidArgumentError("It may be given once.");
    scope(text);
    return text;
  });
}

export function scopeOption(description = "what to ask for, action:resource; may be repeated"): Option {
  return new Option("--scope <scope>", description).argParser(scope);
}

/** The scopes from arguments and options, without duplicates. @throws Failure for none or too many */
export function allScopes(
  positional: readonly string[] | undefined,
  optional: readonly string[] | undefined,
): readonly string[] {
  const all = [...new Set([...(positional ?? []), ...(optional ?? [])])];
  if (all.length === 0 || all.length > scopesPerRequestMax) {
    throw misuse(`Name 1 to ${scopesPerRequestMax} scopes, such as read:prod:orders-db.`);
  }
  return all;
}

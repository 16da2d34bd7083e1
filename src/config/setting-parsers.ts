import { z } from "zod";
import { parseToken } from "../core/values/token-format.ts";
import { parseEmail } from "../core/values/identity.ts";
import { isLoopback } from "./loopback.ts";

/** The parser of one environment variable. */
export interface Setting<T> {
  /** Undefined when the text is invalid. */
  readonly parse: (text: string) => T | undefined;
  /** Completes "NAME must be …". Never quotes the value, because it may be a secret. */
  readonly expects: string;
}

const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

export function matching(pattern: RegExp, expects: string): Setting<string> {
  return { parse: (text) => (pattern.test(text) ? text : undefined), expects };
}

export function wholeNumber(min: number, max: number): Setting<number> {
  return {
    parse: (text) => {
      const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
      return value >= min && value <= max ? value : undefined;
    },
    expects: `a whole number from ${min} to ${max}`,
  };
}

export const yesNo: Setting<boolean> = {
  parse: (text) => (text === "true" || text === "false" ? text === "true" : undefined),
  expects: "true or false",
};

export const logLevel: Setting<LogLevel> = {
  parse: (text) => logLevels.find((level) => level === text),
  expects: `one of ${logLevels.join(", ")}`,
};

/** Printable ASCII without spaces at its ends, because anything else is a copying mistake. */
export const secretText = matching(
  /^[!-~]([ -~]{0,998}[!-~])?$/,
  "printable text without spaces at its ends",
);

export const hostName: Setting<string> = {
  parse: (text) => (isHost(text) ? text : undefined),
  expects: "a host name or an IP address, without port",
};

export const hostNames: Setting<readonly string[]> = {
  parse: (text) => listOf(text, (host) => (isHost(host) ? host.toLowerCase() : undefined)),
  expects: "host names without ports, separated by commas",
};

export const proxies: Setting<readonly string[]> = {
  parse: (text) => listOf(text, (address) => (isAddressRange(address) ? address : undefined)),
  expects: "IP addresses or ranges such as 10.0.0.0/8, separated by commas",
};

/** Without a trailing slash. */
export const publicUrl: Setting<string> = {
  parse: (text) => {
    const url = urlOf(text);
    return url !== undefined && isWeb(url) && url.search === "" && url.hash === "" && !hasLogin(url)
      ? url.href.replace(/\/+$/, "")
      : undefined;
  },
  expects: "an address that begins with https:// or http://, without user, query or fragment",
};

/** A server that receives secrets. Without a trailing slash. */
export const secureUrl: Setting<string> = {
  parse: (text) => {
    const url = urlOf(text);
    if (url === undefined || !isWeb(url) || hasLogin(url)) return undefined;
    return url.protocol === "https:" || isLoopback(url.hostname) ? url.href.replace(/\/+$/, "") : undefined;
  },
  expects: "an address that begins with https:// (http:// only on this machine)",
};

export const smtpUrl: Setting<string> = {
  parse: (text) => {
    const url = urlOf(text);
    return url !== undefined && /^smtps?:$/.test(url.protocol) && url.hostname !== "" ? text : undefined;
  },
  expects: "an address that begins with smtp:// or smtps://",
};

export const sender: Setting<string> = {
  parse: (text) => {
    const address = /^[^<>"\r\n]{1,100} <([^<>]+)>$/.exec(text)?.[1] ?? text;
    return parseEmail(address) === undefined ? undefined : text;
  },
  expects: "an e-mail address, alone or as in: JIT Access <jit@company.com>",
};

/** The path of the database file. */
export const databaseFile: Setting<string> = {
  parse: fileOf,
  expects: "a file, as a path or as file:path; this version keeps its data in SQLite",
};

export const filePath: Setting<string> = {
  parse: (text) => (hasControl(text) ? undefined : text),
  expects: "the path of a file, without line ends or other control characters",
};

export const adminKey: Setting<string> = {
  parse: (text) => (parseToken(text)?.kind === "live" ? text : undefined),
  expects: "a complete key that begins with kd_live_; its last six characters are a checksum",
};

/** An approximate check. The scheduler checks the expression exactly. */
export const cronExpression: Setting<string> = {
  parse: (text) => {
    const fields = text.split(" ");
    const isCron =
      (fields.length === 5 || fields.length === 6) && fields.every((field) => cronField.test(field));
    return isCron ? text : undefined;
  },
  expects: "a cron expression of five fields, or six with seconds in front",
};

const cronValue = String.raw`(\*|\d{1,2}|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)[a-z]{0,6})`;
const cronRange = String.raw`${cronValue}(-${cronValue})?(/\d{1,2})?`;
const cronField = new RegExp(`^${cronRange}(,${cronRange})*$`, "i");

function listOf(text: string, parse: (entry: string) => string | undefined): readonly string[] | undefined {
  const parsed: string[] = [];
  for (const entry of text.split(",")) {
    const value = parse(entry.trim());
    if (value === undefined) return undefined;
    parsed.push(value);
  }
  return [...new Set(parsed)];
}

const label = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

function isHost(text: string): boolean {
  if (z.ipv6().safeParse(text).success) return true;
  if (/^[\d.]+$/.test(text)) return z.ipv4().safeParse(text).success;
  return text.length <= 253 && text.split(".").every((part) => label.test(part));
}

function isAddressRange(text: string): boolean {
  return [z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()].some((form) => form.safeParse(text).success);
}

function urlOf(text: string): URL | undefined {
  return /\s/.test(text) || !URL.canParse(text) ? undefined : new URL(text);
}

function isWeb(url: URL): boolean {
  return (url.protocol === "https:" || url.protocol === "http:") && url.hostname !== "";
}

function hasLogin(url: URL): boolean {
  return url.username !== "" || url.password !== "";
}

/** Whether a text has control characters, such as the carriage return that Windows line ends leave. */
function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

function fileOf(text: string): string | undefined {
  if (hasControl(text) || text === ":memory:") return undefined;
  if (!text.startsWith("file:")) return /^[A-Za-z][A-Za-z0-9+.-]+:/.test(text) ? undefined : text;
  const rest = text.slice("file:".length).replace(/^\/\/(localhost)?(?=\/)/, "");
  if (rest === "" || rest.startsWith("//") || /[?#]/.test(rest) || rest === ":memory:") return undefined;
  try {
    return decodeURIComponent(rest);
  } catch {
    return undefined;
  }
}

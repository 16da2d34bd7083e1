import { parseToken } from "../../core/values/token-format.ts";
import { Failure, misuse } from "./failure.ts";
import { readTextFile } from "./read-text-file.ts";

/** The address of the service, and the API key. */
export interface Settings {
  /** Without a trailing slash. */
  readonly url: string;
  /** A well-formed `kd_live_` token. */
  readonly key: string;
}

export const defaultUrl = "http://127.0.0.1:3000";

/**
 * Reads `JIT_URL` and the key: `--key-file`, else `JIT_KEY`, else the file named in `JIT_KEY_FILE`. An empty variable
 * counts as not set. A key is never accepted on the command line, which everybody on the machine can read.
 *
 * @throws Failure
 */
export function readSettings(
  environment: Readonly<Record<string, string | undefined>>,
  keyFile: string | undefined,
): Settings {
  return { url: readUrl(environment["JIT_URL"] ?? ""), key: readKey(environment, keyFile) };
}

function readUrl(text: string): string {
  const given = text === "" ? defaultUrl : text;
  // Not URL.parse: the packed CLI runs on Node 20, which lacks it.
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const isUsable =
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    [url.username, url.password, url.search, url.hash].every((part) => part === "");
  if (!isUsable) throw misuse(`JIT_URL must be the address of the service, such as ${defaultUrl}.`);
  return url.href.replace(/\/+$/, "");
}

function readKey(
  environment: Readonly<Record<string, string | undefined>>,
  keyFile: string | undefined,
): string {
  const named = keyFile ?? "";
  if (named !== "") return wellFormed(readKeyFile(named), named);
  const key = environment["JIT_KEY"] ?? "";
  if (key !== "") return wellFormed(key, "JIT_KEY");
  const file = environment["JIT_KEY_FILE"] ?? "";
  if (file !== "") return wellFormed(readKeyFile(file), file);
  throw new Failure(
    "unauthenticated",
    "no_key",
    "There is no API key: set JIT_KEY, or name a file that holds it with --key-file.",
  );
}

function readKeyFile(file: string): string {
  return readTextFile(file, `The key file ${file}`);
}

function wellFormed(text: string, where: string): string {
  const token = parseToken(text.trim());
  if (token?.kind === "live") return token.text;
  const detail =
    token === undefined
      ? `${where} holds no complete API key; a key begins with kd_live_ and has 44 characters.`
      : `${where} holds an access token, not an API key; a key begins with kd_live_.`;
  throw new Failure("unauthenticated", "no_key", detail);
}

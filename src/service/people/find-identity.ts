import { parseId } from "../../core/values/ids.ts";
import { parseEmail, type Identity } from "../../core/values/identity.ts";
import type { Reads, Versioned } from "../ports/store.ts";

type DirectoryReads = Pick<Reads, "identity" | "people">;

/**
 * Whom a text names: by id, or by the e-mail address that one identity has now, without regard to case. Whoever left the
 * configuration file has given up their address, so only their id still names them.
 */
export async function findNamedIdentity(
  store: DirectoryReads,
  text: string,
): Promise<Versioned<Identity> | undefined> {
  const id = parseId("identity", text);
  if (id !== undefined) return store.identity(id);
  const email = parseEmail(text);
  if (email === undefined) return undefined;
  const people = await store.people({ ids: [], selectors: [{ kind: "email", email }] });
  const named = people.filter(({ value }) => value.email?.toLowerCase() === email && value.listed);
  return named.length === 1 ? named[0] : undefined;
}

/** The id of whom an address names; any other text as it is, so that it is refused as itself. */
export async function idOfNamed(store: DirectoryReads, text: string): Promise<string> {
  if (parseEmail(text) === undefined) return text;
  return (await findNamedIdentity(store, text))?.value.id ?? text;
}

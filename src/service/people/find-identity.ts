import { parseId } from "../../core/values/ids.ts";
import { parseEmail, type Identity } from "../../core/values/identity.ts";
import type { Reads, Versioned } from "../ports/store.ts";

type DirectoryReads = Pick<Reads, "identity" | "people">;

/**
 * The identity that a text names, by id or by its current e-mail address, ignoring case. A person who was removed from
 * the configuration file has no address any more, so only the id finds them.
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

/** The id of the person with this address. Any other text is returned as it is, so that the refusal quotes it. */
export async function idOfNamed(store: DirectoryReads, text: string): Promise<string> {
  if (parseEmail(text) === undefined) return text;
  return (await findNamedIdentity(store, text))?.value.id ?? text;
}

import { parseId } from "../../core/values/ids.ts";
import type { Identity } from "../../core/values/identity.ts";
import { loadPeople, type ServiceContext } from "../decisions/load-facts.ts";

/** The people that the configuration names as administrators in chat, each once. */
export async function administratorsOf(context: ServiceContext): Promise<readonly Identity[]> {
  const rules = await context.rulebook();
  const { admin } = rules.book.rules.chatRoles;
  const { directory } = await loadPeople(context, [], admin, { rules });
  // Administrators cannot be named by `manager`, so the subject does not matter.
  const subject = parseId("identity", "id_nobody");
  const people = subject === undefined ? [] : admin.flatMap((one) => directory.people(one, subject));
  return [...new Map(people.map((person) => [person.id, person])).values()];
}

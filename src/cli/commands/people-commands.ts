import { writeFileSync } from "node:fs";
import { Option, type Command } from "commander";
import { identity, knownIdentity, pageOf, readAs } from "../api/api-schemas.ts";
import { fetchAllPages } from "../api/fetch-all-pages.ts";
import { misuse } from "../io/failure.ts";
import { formatIdentity } from "../views/identity-view.ts";
import { comparePeople, peopleSnippet, type FoundPerson } from "../people/people-import.ts";
import { notePage, paged, type PageOptions } from "./query-commands.ts";
import type { Cli, Session } from "../api/session.ts";
import { readSlackMembers } from "../people/slack-members.ts";
import { table } from "../views/table.ts";

interface ImportOptions {
  readonly from: "slack";
  readonly out?: string;
}

/** Adds the commands for people and programs, for administrators. */
export function addPeopleCommands(program: Command, cli: Cli): void {
  const people = program.command("people").summary("list, deactivate, activate and import people");
  addList(people, cli);
  addSwitch(people, cli, {
    verb: "deactivate",
    summary: "deactivate somebody: all access ends and new access is refused",
    active: false,
  });
  addSwitch(people, cli, {
    verb: "activate",
    summary: "activate somebody again; ended access stays ended",
    active: true,
  });
  addImport(people, cli);
}

function addList(people: Command, cli: Cli): void {
  paged(people.command("list").summary("list people and programs, newest first")).action(
    async ({ limit, cursor }: PageOptions, command: Command) => {
      const session = cli.open(command);
      const response = await session.api.get("/identities", { query: { limit, cursor } });
      const { data, nextCursor } = readAs(pageOf(knownIdentity), response);
      await session.show(response, () =>
        table(
          ["ID", "KIND", "ACTIVE", "ADDRESS", "GROUPS", "NAME"],
          data.map((person) => [
            person.id,
            person.kind,
            person.active ? "yes" : "no",
            person.email ?? "",
            person.groups.join(","),
            person.name,
          ]),
          session.io,
        ),
      );
      notePage(session, nextCursor);
    },
  );
}

interface Switch {
  readonly verb: string;
  readonly summary: string;
  readonly active: boolean;
}

function addSwitch(people: Command, cli: Cli, { verb, summary, active }: Switch): void {
  people
    .command(verb)
    .summary(summary)
    .argument("<identity>", "whom: id_… or an e-mail address")
    .action(async (id: string, _options: object, command: Command) => {
      const session = cli.open(command);
      const response = await session.api.patch(`/identities/${encodeURIComponent(id)}`, { active });
      const changed = readAs(identity, response);
      await session.show(response, () => formatIdentity(changed));
    });
}

function addImport(people: Command, cli: Cli): void {
  people
    .command("import")
    .summary("compare a workspace's members with the people the service knows")
    .description(
      "Shows who is new, who could be linked by their address, and who needs your decision. Changes nothing: with --out\n" +
        "it writes entries to a file for you to add to the configuration. Needs SLACK_BOT_TOKEN, and the key of an\n" +
        "administrator or auditor.",
    )
    .addOption(new Option("--from <platform>", "whose people").choices(["slack"]).makeOptionMandatory())
    .option("--out <file>", "write the entries to this new file, as YAML")
    .action(async ({ out }: ImportOptions, command: Command) => {
      const session = cli.open(command);
      const members = await readSlackMembers(cli.io);
      const found = comparePeople(members, await fetchAllPages(session.api, "/identities", knownIdentity));
      await session.show({ text: `${JSON.stringify(found)}\n` }, () => formatFound(found, session));
      const snippet = peopleSnippet(found);
      if (snippet === undefined) return session.note("There is nothing to add to the configuration.");
      if (out === undefined)
        return session.note("Nothing was written; --out FILE writes the entries to add.");
      writeNew(out, snippet);
      session.note(`The entries are in ${out}.`);
    });
}

const order = ["new", "link", "left", "gone", "linked"] as const;

function formatFound(found: readonly FoundPerson[], { io }: Session): string {
  const sorted = order.flatMap((what) => found.filter((person) => person.what === what));
  return table(["WHAT", "IDENTITY", "ADDRESS", "SLACK", "NAME", "WHY"], sorted.map(row), io);
}

function row(person: FoundPerson): readonly string[] {
  const { what } = person;
  if (what === "gone") {
    const { id, email, links, name } = person.identity;
    return [what, id, email ?? "", links.slack?.userId ?? "", name, "is no full member of the workspace"];
  }
  const { email = "", userId, name } = person.member;
  const id = what === "new" ? person.id : what === "left" ? "" : person.identity.id;
  return [what, id, email, userId, name, what === "left" ? person.why : ""];
}

function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: "wx" });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    const why = code === "EEXIST" ? "already exists" : `cannot be written (${code})`;
    throw misuse(`The file ${file} ${why}; name another one with --out.`);
  }
}

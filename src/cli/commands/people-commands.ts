import { writeFileSync } from "node:fs";
import { Option, type Command } from "commander";
import { identity, knownIdentity, pageOf, readAs } from "../api/api-schemas.ts";
import { everyPage } from "../api/fetch-all-pages.ts";
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

/** People and programs, for administrators. */
export function addPeopleCommands(program: Command, cli: Cli): void {
  const people = program.command("people").summary("list people, switch them off and on, bring them in");
  addList(people, cli);
  addSwitch(people, cli, {
    verb: "deactivate",
    summary: "switch somebody off: all access ends, nothing new",
    active: false,
  });
  addSwitch(people, cli, {
    verb: "activate",
    summary: "switch somebody on again; ended access stays ended",
    active: true,
  });
  addImport(people, cli);
}

function addList(people: Command, cli: Cli): void {
  paged(people.command("list").summary("list people and programs, newest first")).action(
    async ({ limit, cursor }: PageOptions, command: Command) => {
      const session = cli.open(command);
      const answer = await session.api.get("/identities", { query: { limit, cursor } });
      const { data, nextCursor } = readAs(pageOf(knownIdentity), answer);
      await session.show(answer, () =>
        table(
          ["ID", "KIND", "ACTIVE", "ADDRESS", "GROUPS", "NAME"],
          data.map((one) => [
            one.id,
            one.kind,
            one.active ? "yes" : "no",
            one.email ?? "",
            one.groups.join(","),
            one.name,
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
      const answer = await session.api.patch(`/identities/${encodeURIComponent(id)}`, { active });
      const changed = readAs(identity, answer);
      await session.show(answer, () => formatIdentity(changed));
    });
}

function addImport(people: Command, cli: Cli): void {
  people
    .command("import")
    .summary("compare a workspace's members with the people the service knows")
    .description(
      "Says who is new, who could be linked by their address, and what is left to you. Changes nothing: with --out it\n" +
        "writes the entries to a file, for you to put into the configuration. Needs SLACK_BOT_TOKEN, and the key of an\n" +
        "administrator or auditor.",
    )
    .addOption(new Option("--from <platform>", "whose people").choices(["slack"]).makeOptionMandatory())
    .option("--out <file>", "write the entries to this new file, as YAML")
    .action(async ({ out }: ImportOptions, command: Command) => {
      const session = cli.open(command);
      const members = await readSlackMembers(cli.io);
      const found = comparePeople(members, await everyPage(session.api, "/identities", knownIdentity));
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
  const sorted = order.flatMap((what) => found.filter((one) => one.what === what));
  return table(["WHAT", "IDENTITY", "ADDRESS", "SLACK", "NAME", "WHY"], sorted.map(row), io);
}

function row(one: FoundPerson): readonly string[] {
  if (one.what === "gone") {
    const { id, email, links, name } = one.identity;
    return [one.what, id, email ?? "", links.slack?.userId ?? "", name, "is no full member of the workspace"];
  }
  const { email = "", userId, name } = one.member;
  const id = one.what === "new" ? one.id : one.what === "left" ? "" : one.identity.id;
  return [one.what, id, email, userId, name, one.what === "left" ? one.why : ""];
}

function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: "wx" });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    const why = code === "EEXIST" ? "is there already" : `cannot be written (${code})`;
    throw misuse(`The file ${file} ${why}; name another one with --out.`);
  }
}

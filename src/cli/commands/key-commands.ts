import { randomBytes } from "node:crypto";
import { InvalidArgumentError, Option, type Command } from "commander";
import { formatToken, secretFrom } from "../../core/values/token-format.ts";
import { roles } from "../../core/values/identity.ts";
import { apiKey, newApiKey, pageOf, readAs, type ApiKeyResponse } from "../api/api-schemas.ts";
import { pointInTime } from "./option-parsers.ts";
import { Failure } from "../io/failure.ts";
import { notePage, paged, type PageOptions } from "./query-commands.ts";
import { dayMs } from "../../core/values/time.ts";
import type { Cli, Session } from "../api/session.ts";
import { fields, table } from "../views/table.ts";
import { roughDuration, formatTime } from "../io/format-time.ts";

/** Adds the commands for API keys, for administrators. */
export function addKeyCommands(program: Command, cli: Cli): void {
  const keys = program.command("keys").summary("make, list and end API keys");
  addCreate(keys, cli);
  addAdmin(keys, cli);
  addList(keys, cli);
  addDelete(keys, cli);
}

interface CreateOptions {
  readonly role: readonly string[];
  readonly name?: string;
  readonly expires?: string;
  readonly tokenOnly?: boolean;
}

function addCreate(keys: Command, cli: Cli): void {
  keys
    .command("create")
    .summary("make a key and print it, this once")
    .argument("<identity>", "whose key it will be: id_… or an e-mail address")
    .addOption(
      new Option("--role <role>", `what it may be used for: ${roles.join(", ")}; may be repeated`)
        .argParser(role)
        .makeOptionMandatory(),
    )
    .option("--name <text>", "what people call it")
    .addOption(
      new Option("--expires <when>", "in 30d, or at a time; absent: in 90 days").argParser(
        pointInTime("future"),
      ),
    )
    .option("--token-only", "print the key and nothing else")
    .action(async (identityId: string, options: CreateOptions, command: Command) => {
      const session = cli.open(command);
      const { name, expires, tokenOnly = false } = options;
      const response = await session.api.post("/api-keys", {
        identityId,
        roles: [...new Set(options.role)],
        ...(name !== undefined && { name }),
        ...(expires !== undefined && { expiresAt: expires }),
      });
      const made = readAs(newApiKey, response);
      if (made.token === undefined) {
        const detail = `The response with the new key got lost: delete the key with ${session.command(`keys delete ${made.id}`)}, and create another.`;
        throw new Failure("unreachable", "answer_lost", detail, response.text);
      }
      const { token } = made;
      if (tokenOnly) return session.io.out(`${token}\n`);
      return session.show(response, () =>
        fields([
          ["Key", made.id],
          ["Identity", made.identityId],
          ["Roles", made.roles.join(", ")],
          ["Name", made.name],
          ["Expires", formatTime(made.expiresAt, session.io)],
          ["Token", token],
        ]),
      );
    });
}

/** Makes a key for JIT_ADMIN_KEY, for an installation that is not running yet. */
function addAdmin(keys: Command, { io }: Cli): void {
  keys
    .command("admin")
    .summary("print a new key for JIT_ADMIN_KEY; stores nothing and calls no service")
    .action(async () => {
      const token = formatToken(
        "live",
        secretFrom((count) => randomBytes(count)),
      );
      await io.out(`${token}\n`);
    });
}

function role(text: string, before: readonly string[] = []): readonly string[] {
  if (!roles.some((known) => known === text))
    throw new InvalidArgumentError(`A role is one of ${roles.join(", ")}.`);
  return [...before, text];
}

function addList(keys: Command, cli: Cli): void {
  paged(keys.command("list").summary("list keys, newest first; never the keys themselves")).action(
    async (options: PageOptions, command: Command) => {
      const session = cli.open(command);
      const { limit, cursor } = options;
      const response = await session.api.get("/api-keys", { query: { limit, cursor } });
      const { data, nextCursor } = readAs(pageOf(apiKey), response);
      await session.show(response, () =>
        table(
          ["ID", "IDENTITY", "ROLES", "ENDS IN", "MADE BY", "EXPIRES", "NAME"],
          data.map((key) => [
            key.id,
            key.identityId,
            key.roles.join(","),
            `…${key.last4}`,
            key.mintedBy,
            formatTime(key.expiresAt, session.io),
            key.name ?? "",
          ]),
          session.io,
        ),
      );
      for (const key of data) noteExpiry(session, key);
      notePage(session, nextCursor);
    },
  );
}

/** The same limits as for the notice to the owner of a key. */
const expiryNoticeMs = 7 * dayMs;
const noticedLifetimeMs = 14 * dayMs;

function noteExpiry(session: Session, { id, identityId, createdAt, expiresAt, last4 }: ApiKeyResponse): void {
  if (expiresAt === null) return;
  const [end, left] = [Date.parse(expiresAt), Date.parse(expiresAt) - session.io.now()];
  if (left <= 0 || left > expiryNoticeMs || end - Date.parse(createdAt) < noticedLifetimeMs) return;
  session.note(`${id} (…${last4}) of ${identityId} expires in ${roughDuration(left)}.`);
}

function addDelete(keys: Command, cli: Cli): void {
  keys
    .command("delete")
    .summary("delete a key; it stops working immediately")
    .argument("<key>", "its id, key_…")
    .action(async (id: string, _options: object, command: Command) => {
      const session = cli.open(command);
      const response = await session.api.remove(`/api-keys/${encodeURIComponent(id)}`);
      const deleted = readAs(apiKey, response);
      await session.show(response, () =>
        fields([
          ["Deleted", deleted.id],
          ["Identity", deleted.identityId],
        ]),
      );
    });
}

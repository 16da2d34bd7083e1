import { InvalidArgumentError, Option, type Command } from "commander";
import { statuses } from "../../core/access/status.ts";
import { accessRequest, activeAccessEntry, identity, offer, pageOf, readAs } from "../api/api-schemas.ts";
import { duration, oneScopeOption, pageSize, pointInTime } from "./option-parsers.ts";
import { formatIdentity } from "../views/identity-view.ts";
import { formatRequest, statusText } from "../views/request-view.ts";
import type { Cli, Session } from "../api/session.ts";
import { table } from "../views/table.ts";
import { formatTime } from "../io/format-time.ts";
import { requestPath } from "../access/wait.ts";

/** Adds the commands that only read: requests, active access and the catalog. */
export function addQueryCommands(program: Command, cli: Cli): void {
  addStatus(program, cli);
  addList(program, cli);
  addAccess(program, cli);
  addCatalog(program, cli);
}

/** Adds `--limit` and `--cursor`, which every list has. */
export function paged(command: Command): Command {
  return command
    .addOption(new Option("--limit <n>", "how many at most, up to 200").argParser(pageSize))
    .option("--cursor <cursor>", "continue after an earlier page");
}

export interface PageOptions {
  readonly limit?: string;
  readonly cursor?: string;
}

/** Notes how to read the next page, if there is one. */
export function notePage(
  session: Session,
  next: string | number | null | undefined,
  option = "--cursor",
): void {
  if (next !== null && next !== undefined) session.note(`There is more: ${option} ${next}`);
}

function addStatus(program: Command, cli: Cli): void {
  program
    .command("status")
    .summary("show one request")
    .argument("<id>", "the request, jit_…")
    .action(async (id: string, _options: object, command: Command) => {
      const session = cli.open(command);
      const response = await session.api.get(requestPath(id));
      const request = readAs(accessRequest, response);
      await session.show(response, () => formatRequest(request, session.io));
    });
  program
    .command("whoami")
    .summary("show whose key this is")
    .action(async (_options: object, command: Command) => {
      const session = cli.open(command);
      const response = await session.api.get("/identities/me");
      const self = readAs(identity, response);
      await session.show(response, () => formatIdentity(self));
    });
}

interface ListOptions extends PageOptions {
  readonly status?: string;
  readonly mine?: boolean;
  readonly identity?: string;
  readonly approverMe?: boolean;
  readonly reviewerMe?: boolean;
  readonly scope?: string;
  readonly since?: string;
  readonly until?: string;
}

function addList(program: Command, cli: Cli): void {
  const list = program
    .command("list")
    .summary("list requests, newest first")
    .addOption(new Option("--status <status>", "the current status").choices(statuses).argParser(oneStatus))
    .addOption(new Option("--mine", "only what you asked for yourself").conflicts("identity"))
    .option("--identity <id>", "only of this requester: id_… or an e-mail address")
    .option("--approver-me", "only what you may decide")
    .option("--reviewer-me", "only uses of break-glass that you may review")
    .addOption(oneScopeOption("only what includes this scope"))
    .addOption(new Option("--since <when>", "asked since: 2d ago, or a time").argParser(pointInTime("past")))
    .addOption(
      new Option("--until <when>", "asked before: 2d ago, or a time").argParser(pointInTime("past")),
    );
  paged(list).action(async (options: ListOptions, command: Command) => {
    const session = cli.open(command);
    const { status, since, until, limit, cursor } = options;
    const response = await session.api.get("/credentials/jit", {
      query: {
        status,
        identityId: options.mine === true ? await session.me() : options.identity,
        approver: options.approverMe === true ? "me" : undefined,
        reviewer: options.reviewerMe === true ? "me" : undefined,
        scope: options.scope,
        since,
        until,
        limit,
        cursor,
      },
    });
    const { data, nextCursor } = readAs(pageOf(accessRequest), response);
    await session.show(response, () =>
      table(
        ["ID", "STATUS", "REQUESTER", "FOR", "ASKED", "SCOPES", "REASON"],
        data.map((request) => [
          request.id,
          statusText(request),
          request.identityId,
          request.grantedDuration ?? request.duration,
          formatTime(request.requestedAt, session.io),
          request.scopes.join(" "),
          request.reason,
        ]),
        session.io,
      ),
    );
    notePage(session, nextCursor);
  });
}

/** Parses a status in any case. It may be given once, because the API accepts one. */
function oneStatus(text: string, before?: string): string {
  const status = text.toUpperCase();
  if (!statuses.some((known) => known === status)) {
    throw new InvalidArgumentError(`Allowed choices are ${statuses.join(", ")}.`);
  }
  if (before !== undefined) throw new InvalidArgumentError("Only one status can be listed at a time.");
  return status;
}

interface AccessOptions extends PageOptions {
  readonly identity?: string;
  readonly scope?: string;
}

function addAccess(program: Command, cli: Cli): void {
  const list = program
    .command("access")
    .summary("list who has what now")
    .option("--identity <id>", "only of this person or program: id_… or an e-mail address")
    .addOption(oneScopeOption("only what includes this scope"));
  paged(list).action(async (options: AccessOptions, command: Command) => {
    const session = cli.open(command);
    const { identity: identityId, scope, limit, cursor } = options;
    const response = await session.api.get("/access", {
      query: { identityId, scope, limit, cursor },
    });
    const { data, nextCursor } = readAs(pageOf(activeAccessEntry), response);
    await session.show(response, () =>
      table(
        ["REQUEST", "WHO", "EXPIRES", "SCOPES", "REASON"],
        data.map((access) => [
          access.request,
          access.name,
          formatTime(access.expiresAt, session.io),
          access.scopes.join(" "),
          access.breakGlass ? `break-glass: ${access.reason}` : access.reason,
        ]),
        session.io,
      ),
    );
    notePage(session, nextCursor);
  });
}

function addCatalog(program: Command, cli: Cli): void {
  program
    .command("catalog")
    .summary("list what you may ask for")
    .addOption(new Option("--for <duration>", "for how long; absent: 1h").argParser(duration))
    .action(async (options: { readonly for?: string }, command: Command) => {
      const session = cli.open(command);
      const response = await session.api.get("/catalog", { query: { duration: options.for } });
      const { data } = readAs(pageOf(offer), response);
      await session.show(response, () =>
        table(
          ["NAME", "OUTCOME", "SCOPES", "DESCRIPTION"],
          data.map(({ name, outcome, scopes, description }) => [
            name,
            outcome,
            scopes.join(" "),
            description ?? "",
          ]),
          session.io,
        ),
      );
    });
}

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

/** What only looks: one request, many, who has what, what may be had. */
export function addReadingCommands(program: Command, cli: Cli): void {
  addStatus(program, cli);
  addList(program, cli);
  addAccess(program, cli);
  addCatalog(program, cli);
}

/** `--limit` and `--cursor` of every list. */
export function paged(command: Command): Command {
  return command
    .addOption(new Option("--limit <n>", "how many at most, up to 200").argParser(pageSize))
    .option("--cursor <cursor>", "go on where an earlier page ended");
}

export interface PageOptions {
  readonly limit?: string;
  readonly cursor?: string;
}

/** Says how to get the rest, where there is one. */
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
      const answer = await session.api.get(requestPath(id));
      const request = readAs(accessRequest, answer);
      await session.show(answer, () => formatRequest(request, session.io));
    });
  program
    .command("whoami")
    .summary("show whose key this is")
    .action(async (_options: object, command: Command) => {
      const session = cli.open(command);
      const answer = await session.api.get("/identities/me");
      const self = readAs(identity, answer);
      await session.show(answer, () => formatIdentity(self));
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
    .addOption(new Option("--status <status>", "as it reads now").choices(statuses).argParser(oneStatus))
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
    const answer = await session.api.get("/credentials/jit", {
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
    const { data, nextCursor } = readAs(pageOf(accessRequest), answer);
    await session.show(answer, () =>
      table(
        ["ID", "STATUS", "REQUESTER", "FOR", "ASKED", "SCOPES", "REASON"],
        data.map((one) => [
          one.id,
          statusText(one),
          one.identityId,
          one.grantedDuration ?? one.duration,
          formatTime(one.requestedAt, session.io),
          one.scopes.join(" "),
          one.reason,
        ]),
        session.io,
      ),
    );
    notePage(session, nextCursor);
  });
}

/** In capitals or not, and once: the API takes one. */
function oneStatus(text: string, before?: string): string {
  const wanted = text.toUpperCase();
  if (!statuses.some((one) => one === wanted)) {
    throw new InvalidArgumentError(`Allowed choices are ${statuses.join(", ")}.`);
  }
  if (before !== undefined) throw new InvalidArgumentError("Only one status can be listed at a time.");
  return wanted;
}

interface AccessOptions extends PageOptions {
  readonly identity?: string;
  readonly scope?: string;
}

function addAccess(program: Command, cli: Cli): void {
  const access = program
    .command("access")
    .summary("list who has what now")
    .option("--identity <id>", "only of this person or program: id_… or an e-mail address")
    .addOption(oneScopeOption("only what includes this scope"));
  paged(access).action(async (options: AccessOptions, command: Command) => {
    const session = cli.open(command);
    const { identity: identityId, scope, limit, cursor } = options;
    const answer = await session.api.get("/access", {
      query: { identityId, scope, limit, cursor },
    });
    const { data, nextCursor } = readAs(pageOf(activeAccessEntry), answer);
    await session.show(answer, () =>
      table(
        ["REQUEST", "WHO", "EXPIRES", "SCOPES", "REASON"],
        data.map((one) => [
          one.request,
          one.name,
          formatTime(one.expiresAt, session.io),
          one.scopes.join(" "),
          one.breakGlass ? `break-glass: ${one.reason}` : one.reason,
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
      const answer = await session.api.get("/catalog", { query: { duration: options.for } });
      const { data } = readAs(pageOf(offer), answer);
      await session.show(answer, () =>
        table(
          ["NAME", "OUTCOME", "SCOPES", "DESCRIPTION"],
          data.map((one) => [one.name, one.outcome, one.scopes.join(" "), one.description ?? ""]),
          session.io,
        ),
      );
    });
}

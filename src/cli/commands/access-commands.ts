import { Option, type Command } from "commander";
import { accessRequest, readAs } from "../api/api-schemas.ts";
import {
  ask,
  claim,
  rotate,
  waitForDecision,
  type ClaimBody,
  type RequestOptions,
} from "../access/ask-and-claim.ts";
import {
  allScopes,
  duration,
  forOption,
  milliseconds,
  reasonOption,
  scope,
  scopeOption,
} from "./option-parsers.ts";
import { progressText, formatRequest } from "../views/request-view.ts";
import type { Cli, Session } from "../api/session.ts";
import { shellWord } from "../io/shell-word.ts";
import { claimBodyOf, namingOwnKey, sshKeyOption, type KeyOptions } from "../access/own-ssh-key.ts";
import { requestPath, type RequestSnapshot } from "../access/wait.ts";

interface TokenOptions {
  readonly tokenOnly?: boolean;
}

interface AskOptions extends TokenOptions {
  readonly for: string;
  readonly reason: string;
  readonly scope?: readonly string[];
  readonly ticket?: string;
  readonly as?: string;
  readonly breakGlass?: boolean;
  readonly wait?: boolean;
  readonly claim?: boolean;
  readonly timeout?: number;
  readonly sshKey?: string;
}

/** Adds the commands of a requester: ask, wait, claim, rotate, done, cancel and extend. */
export function addAccessCommands(program: Command, cli: Cli): void {
  addAsk(program, cli);
  addWait(program, cli);
  addTokenCommands(program, cli);
  addOwnEndings(program, cli);
}

const tokenOnly = (): Option => new Option("--token-only", "print the token and nothing else");
const timeout = (): Option =>
  new Option("--timeout <duration>", "wait no longer than this; then exit 7").argParser(milliseconds);

function addAsk(program: Command, cli: Cli): void {
  program
    .command("ask")
    .summary("ask for access")
    .description(
      "Asks for access. If it is approved at once, it prints the token; otherwise it says who has to approve.\n" +
        "With --wait it returns after the decision, with --claim it prints the token then.",
    )
    .argument("[scopes...]", "what to ask for, action:resource", scope)
    .addOption(forOption("for how long").makeOptionMandatory())
    .addOption(reasonOption("why; approvers will read it"))
    .addOption(scopeOption())
    .option("--ticket <id>", "the ticket this is about")
    .option("--as <identity>", "ask for somebody else (administrators)")
    .option("--break-glass", "an emergency: no approval, but a review afterwards")
    .option("--wait", "wait until somebody has decided")
    .option("--claim", "wait, then start the access and print its token")
    .addOption(timeout())
    .addOption(tokenOnly().implies({ claim: true }))
    .addOption(sshKeyOption())
    .action(async (scopes: readonly string[] | undefined, options: AskOptions, command: Command) => {
      const request = requestOptionsOf(allScopes(scopes, options.scope), options);
      const claimBody = claimBodyOf(options);
      const session = cli.open(command);
      const submitted = await ask(session, request);
      await showSnapshot(session, await waitAndClaim(session, submitted, options, claimBody), options);
    });
}

/** Reads the options that `ask` and `run` share. */
export function requestOptionsOf(
  scopes: readonly string[],
  { for: requestedDuration, reason, ticket, as, breakGlass = false }: Omit<AskOptions, "scope">,
): RequestOptions {
  return {
    scopes,
    duration: requestedDuration,
    reason,
    breakGlass,
    ...(ticket !== undefined && { ticket }),
    ...(as !== undefined && { identityId: as }),
  };
}

async function waitAndClaim(
  session: Session,
  submitted: RequestSnapshot,
  options: AskOptions,
  claimBody: ClaimBody,
): Promise<RequestSnapshot> {
  const { id, status } = submitted.request;
  const isClaimed = options.claim === true;
  if (status === "PENDING" && (options.wait === true || isClaimed)) {
    const limit = options.timeout === undefined ? {} : { timeoutMs: options.timeout };
    session.note(`It stays open when this command is stopped; jit cancel ${id} withdraws it.`);
    const snapshot = await waitForDecision(session, id, limit);
    return isClaimed ? claim(session, id, claimBody) : snapshot;
  }
  return isClaimed && status === "APPROVED" ? claim(session, id, claimBody) : submitted;
}

async function showSnapshot(
  session: Session,
  { response, request }: RequestSnapshot,
  options: TokenOptions & KeyOptions,
): Promise<void> {
  const token = request.credential?.token;
  if (options.tokenOnly === true && token !== undefined) return session.io.out(`${token}\n`);
  const { credential } = request;
  const own = credential && { ...credential, targets: namingOwnKey(credential.targets, options) };
  await session.show(response, () => formatRequest({ ...request, credential: own }, session.io));
  const { id, status } = request;
  if (status === "PENDING")
    session.note(`${progressText(request)} To wait for it: ${session.command(`wait ${id}`)}`);
  if (status === "APPROVED") {
    // Without the key, the claim of a target reached by SSH would be refused.
    const key = options.sshKey === undefined ? "" : ` --ssh-key ${shellWord(options.sshKey)}`;
    session.note(`${progressText(request)} To start the access: ${session.command(`claim ${id}${key}`)}`);
  }
}

function addWait(program: Command, cli: Cli): void {
  program
    .command("wait")
    .summary("wait until a request is decided")
    .description("Waits until the request is decided. Exit 0: access was granted; 6: it was not.")
    .argument("<id>", "the request, jit_…")
    .addOption(timeout())
    .action(async (id: string, options: { readonly timeout?: number }, command: Command) => {
      const session = cli.open(command);
      const limit = options.timeout === undefined ? {} : { timeoutMs: options.timeout };
      const { response, request } = await waitForDecision(session, id, limit);
      await session.show(response, () => formatRequest(request, session.io));
    });
}

function addTokenCommands(program: Command, cli: Cli): void {
  program
    .command("claim")
    .summary("start approved access and print its token, and the secrets of its targets")
    .argument("<id>", "the request, jit_…")
    .addOption(tokenOnly())
    .addOption(sshKeyOption())
    .action(async (id: string, options: TokenOptions & KeyOptions, command: Command) => {
      const session = cli.open(command);
      await showSnapshot(session, await claim(session, id, claimBodyOf(options)), options);
    });
  program
    .command("rotate")
    .summary("replace the token; the old one stops working immediately")
    .argument("<id>", "the request, jit_…")
    .addOption(tokenOnly())
    .addOption(sshKeyOption())
    .action(async (id: string, options: TokenOptions & KeyOptions, command: Command) => {
      const session = cli.open(command);
      await showSnapshot(session, await rotate(session, id, claimBodyOf(options)), options);
    });
}

function addOwnEndings(program: Command, cli: Cli): void {
  program
    .command("done")
    .summary("say that access is no longer needed")
    .argument("<id>", "the request, jit_…")
    .option("--note <text>", "for the record")
    .action(async (id: string, options: { readonly note?: string }, command: Command) =>
      runVerb(cli.open(command), id, "complete", options.note === undefined ? {} : { note: options.note }),
    );
  program
    .command("cancel")
    .summary("withdraw a request before its access has started")
    .argument("<id>", "the request, jit_…")
    .option("--reason <text>", "why")
    .action(async (id: string, options: { readonly reason?: string }, command: Command) =>
      runVerb(
        cli.open(command),
        id,
        "cancel",
        options.reason === undefined ? {} : { reason: options.reason },
      ),
    );
  program
    .command("extend")
    .summary("ask for more time")
    .description("Asks for more time, in a request of its own. The token stays the same.")
    .argument("<id>", "the request whose access to extend, jit_…")
    .addOption(forOption("how much longer").argParser(duration).makeOptionMandatory())
    .addOption(reasonOption())
    .action(
      async (id: string, options: { readonly for: string; readonly reason: string }, command: Command) => {
        const session = cli.open(command);
        const body = { duration: options.for, reason: options.reason };
        const response = await session.api.post(requestPath(id, "extend"), body);
        await showSnapshot(session, { response, request: readAs(accessRequest, response) }, {});
      },
    );
}

/** Runs a verb on a request and shows the result. */
export async function runVerb(session: Session, id: string, verb: string, body: object): Promise<void> {
  const response = await session.api.post(requestPath(id, verb), body);
  const request = readAs(accessRequest, response);
  await session.show(response, () => formatRequest(request, session.io));
}

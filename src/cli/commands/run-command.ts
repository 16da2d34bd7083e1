import type { Command } from "commander";
import { hourMs, secondMs } from "../../core/values/time.ts";
import { requestOptionsOf } from "./access-commands.ts";
import type { CredentialTarget } from "../api/api-schemas.ts";
import { ask, claim, waitForDecision, type ClaimBody, type RequestOptions } from "../access/ask-and-claim.ts";
import {
  writeCertificateFiles,
  type CertificateFiles,
  type TargetWithFile,
} from "../credentials/certificate-files.ts";
import { startChild, type Child } from "../io/child-process.ts";
import { allScopes, forOption, milliseconds, reasonOption, scopeOption } from "./option-parsers.ts";
import { exitCodes } from "../io/exit-codes.ts";
import { Failure, misuse } from "../io/failure.ts";
import type { Cli, Session } from "../api/session.ts";
import { catchSignals, isFromTerminal, type Signals } from "../io/signals.ts";
import { claimBodyOf, namingOwnKey, sshKeyOption } from "../access/own-ssh-key.ts";
import { targetEnvironment } from "../views/target-view.ts";
import { toolEnvironment } from "../credentials/tool-environment.ts";
import { isTransient, requestPath, waitFor, type RequestSnapshot } from "../access/wait.ts";

interface RunOptions {
  readonly for: string;
  readonly reason: string;
  readonly scope?: readonly string[];
  readonly ticket?: string;
  readonly breakGlass?: boolean;
  readonly timeout?: number;
  readonly killOnEnd?: boolean;
  readonly sshKey?: string;
}

/** Adds `run`, which gets access, runs a command with it, and gives the access back. */
export function addRunCommand(program: Command, cli: Cli): void {
  program
    .command("run")
    .summary("run a command with access, and give the access back when it ends")
    .description(
      "Asks for access, waits for its approval, and starts COMMAND with the token in its environment (JIT_TOKEN,\n" +
        "JIT_REQUEST, JIT_EXPIRES_AT, JIT_TARGET_<NAME>_… for each target, and PGHOST, PGPASSWORD, REDISCLI_AUTH and so\n" +
        "on for its tools; never your API key). Gives the access back when the command ends. Exits as the command does.",
    )
    .usage("--scope <scope> --for <duration> --reason <text> [options] -- COMMAND [ARGS...]")
    .argument("<command...>", "after --: what to run, with its arguments")
    .addOption(scopeOption().makeOptionMandatory())
    .addOption(forOption("for how long at most").makeOptionMandatory())
    .addOption(reasonOption("why; approvers will read it"))
    .option("--ticket <id>", "the ticket this is about")
    .option("--break-glass", "an emergency: no approval, but a review afterwards")
    .option("--timeout <duration>", "wait for approval no longer than this; then exit 7", milliseconds)
    .option("--kill-on-end", "end the command when its access ends")
    .addOption(sshKeyOption())
    .action(async ([name = "", ...args]: readonly string[], options: RunOptions, command: Command) => {
      const request = requestOptionsOf(allScopes(undefined, options.scope), options);
      const claimBody = claimBodyOf(options);
      const session = cli.open(command);
      const signals = catchSignals(session.io);
      try {
        const access = await obtainAccess(session, request, claimBody, options.timeout, signals.stopped);
        const held = { ...access, targets: namingOwnKey(access.targets, options) };
        const run = { name, args, killOnEnd: options.killOnEnd === true };
        cli.exitWith(await runWithAccess(session, held, run, signals));
      } finally {
        signals.release();
      }
    });
}

/** Active access with its token. */
interface HeldAccess {
  readonly id: string;
  readonly token: string;
  readonly expiresAt: string;
  readonly targets: readonly CredentialTarget[];
}

async function obtainAccess(
  session: Session,
  request: RequestOptions,
  claimBody: ClaimBody,
  timeoutMs: number | undefined,
  signal: AbortSignal,
): Promise<HeldAccess> {
  const submitted = await ask(session, request);
  const autoApproved = heldAccessOf(submitted);
  if (autoApproved !== undefined) return autoApproved;
  const { id, status } = submitted.request;
  try {
    signal.throwIfAborted();
    if (status === "PENDING") {
      const advice = "allow more time with --timeout, or ask its approvers first with jit ask";
      await waitForDecision(session, id, { signal, advice, ...(timeoutMs !== undefined && { timeoutMs }) });
    }
    signal.throwIfAborted();
    const held = heldAccessOf(await claim(session, id, claimBody));
    if (held === undefined)
      throw new Failure("unreachable", "bad_answer", `${id} was claimed without a token.`);
    return held;
  } catch (error) {
    const hasEnded = error instanceof Failure && error.exitCode === exitCodes.ended.code;
    if (!hasEnded) await withdraw(session, id);
    throw error;
  }
}

function heldAccessOf({ request }: RequestSnapshot): HeldAccess | undefined {
  const { id, credential, expiresAt } = request;
  const token = credential?.token;
  if (token === undefined || expiresAt === null) return undefined;
  return { id, token, expiresAt, targets: credential?.targets ?? [] };
}

/** Withdraws a request that nobody will use. Completes it instead if a lost response had started the access. */
async function withdraw(session: Session, id: string): Promise<void> {
  for (const verb of ["cancel", "complete"]) {
    try {
      await session.api.post(requestPath(id, verb), {}, { isQuiet: true });
      return session.note(`${id} was withdrawn.`);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.exitCode !== exitCodes.refused.code) break;
    }
  }
  return session.note(`${id} could not be withdrawn; see ${session.command(`status ${id}`)}.`);
}

interface Run {
  readonly name: string;
  readonly args: readonly string[];
  readonly killOnEnd: boolean;
}

/** How long the command may take to end after SIGTERM. */
const endGraceMs = 10 * secondMs;
/** After this time a supervisor may kill us too, so the access is given back first. */
const giveBackGraceMs = 5 * secondMs;

async function runWithAccess(
  session: Session,
  held: HeldAccess,
  run: Run,
  signals: Signals,
): Promise<number> {
  const giveBack = createGiveBack(session, held);
  const commandEnded = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  let files: CertificateFiles | undefined;
  try {
    signals.stopped.throwIfAborted();
    files = certificateFiles(held.targets);
    const child = startChild(run.name, run.args, environmentOf(session, held, files.targets));
    signals.handTo((signal) => {
      if (!isFromTerminal(signal)) child.signal(signal);
      if (signal === "SIGTERM" || signal === "SIGHUP") {
        timers.push(setTimeout(() => void giveBack(), giveBackGraceMs));
      }
    });
    const watching = handleAccessEnd(session, held, run, child, commandEnded.signal, timers);
    const code = await child.ended;
    commandEnded.abort();
    await watching;
    return code;
  } finally {
    commandEnded.abort();
    for (const timer of timers) clearTimeout(timer);
    files?.remove();
    await giveBack();
  }
}

async function handleAccessEnd(
  session: Session,
  held: HeldAccess,
  { name, killOnEnd }: Run,
  child: Child,
  commandEnded: AbortSignal,
  timers: NodeJS.Timeout[],
): Promise<void> {
  const why = await waitForAccessEnd(session, held, commandEnded);
  if (why === undefined) return;
  const consequence = killOnEnd ? "is told to end" : "goes on without it";
  session.note(`The access ${held.id} is over (${why}); ${name} ${consequence}.`);
  if (!killOnEnd) return;
  child.signal("SIGTERM");
  timers.push(setTimeout(() => child.signal("SIGKILL"), endGraceMs));
}

function certificateFiles(targets: readonly CredentialTarget[]): CertificateFiles {
  try {
    return writeCertificateFiles(targets);
  } catch (error) {
    const why = error instanceof Error ? error.message : "unknown";
    throw misuse(`The SSH certificate cannot be written to a temporary folder: ${why}; set TMPDIR.`);
  }
}

/** The environment of the command. It has the token but not the API key, which would outlive the command. */
function environmentOf(
  session: Session,
  { id, token, expiresAt }: HeldAccess,
  targets: readonly TargetWithFile[],
) {
  const tools = toolEnvironment(targets);
  for (const text of tools.notes) session.note(text);
  const removed = new Set(["JIT_KEY", "JIT_KEY_FILE", ...tools.unset]);
  const rest = Object.fromEntries(
    Object.entries(session.io.environment).filter(([name]) => !removed.has(name)),
  );
  return {
    ...rest,
    ...targetEnvironment(targets),
    ...tools.set,
    JIT_TOKEN: token,
    JIT_REQUEST: id,
    JIT_EXPIRES_AT: expiresAt,
  };
}

/** Completes the access with its own token, once, however often it is called. Access that has ended is fine too. */
function createGiveBack(session: Session, { id, token, expiresAt }: HeldAccess): () => Promise<void> {
  let pending: Promise<void> | undefined;
  const complete = async (): Promise<void> => {
    try {
      await session.api.post(requestPath(id, "complete"), {}, { bearer: token });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const hasEnded = ["unauthenticated", "not_active"].includes(error.code);
      if (!hasEnded)
        session.note(`${id} could not be given back and lasts until ${expiresAt}: ${error.message}`);
    }
  };
  return () => (pending ??= complete());
}

const retryAfterOutageMs = 5 * secondMs;

/**
 * Waits until the access ends, and returns why; undefined when the command ended first. While the service is unreachable,
 * the expiry decides.
 */
async function waitForAccessEnd(
  session: Session,
  held: HeldAccess,
  commandEnded: AbortSignal,
): Promise<string | undefined> {
  const { io } = session;
  let expiresAt = Date.parse(held.expiresAt);
  for (;;) {
    try {
      const snapshot = await waitFor(session, held.id, {
        until: ({ status }) => status !== "ACTIVE",
        onChange: ({ request }) => {
          if (request.expiresAt !== null) expiresAt = Date.parse(request.expiresAt);
        },
        signal: commandEnded,
        isQuiet: true,
        outageMs: 0,
      });
      const { status = "ended", endReason = null } = snapshot?.request ?? {};
      return endReason === null ? status : `${status}: ${endReason}`;
    } catch (error) {
      if (commandEnded.aborted) return undefined;
      if (io.now() >= expiresAt) return "expired";
      const pauseMs = isTransient(error) ? retryAfterOutageMs : hourMs;
      await io.pause(Math.min(pauseMs, expiresAt - io.now()), commandEnded);
      if (commandEnded.aborted) return undefined;
    }
  }
}

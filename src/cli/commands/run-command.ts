import type { Command } from "commander";
import { hourMs, secondMs } from "../../core/values/time.ts";
import { wantedOf } from "./access-commands.ts";
import type { CredentialTarget } from "../api/api-schemas.ts";
import { ask, claim, decided, type ClaimBody, type Wanted } from "../access/ask-and-claim.ts";
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
import { mayPass, requestPath, waitFor, type RequestSnapshot } from "../access/wait.ts";

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

/** Access for as long as a command runs: asked, waited for, claimed, and given back. */
export function addRunCommand(program: Command, cli: Cli): void {
  program
    .command("run")
    .summary("run a command with access, and give the access back when it ends")
    .description(
      "Asks, waits until that is approved, starts COMMAND with the token in its environment (JIT_TOKEN, JIT_REQUEST,\n" +
        "JIT_EXPIRES_AT, JIT_TARGET_<NAME>_… for each target, PGHOST, PGPASSWORD, REDISCLI_AUTH and so on for the tools\n" +
        "of it; never your API key), and gives the access back when the command ends. Exits as the command does.",
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
      const wanted = wantedOf(allScopes(undefined, options.scope), options);
      const claimBody = claimBodyOf(options);
      const session = cli.open(command);
      const signals = catchSignals(session.io);
      try {
        const got = await obtain(session, wanted, claimBody, options.timeout, signals.stopped);
        const held = { ...got, targets: namingOwnKey(got.targets, options) };
        const run = { name, args, killOnEnd: options.killOnEnd === true };
        cli.exitWith(await runHolding(session, held, run, signals));
      } finally {
        signals.release();
      }
    });
}

/** Access that is ours at this moment. */
interface HeldAccess {
  readonly id: string;
  readonly token: string;
  readonly expiresAt: string;
  readonly targets: readonly CredentialTarget[];
}

async function obtain(
  session: Session,
  wanted: Wanted,
  claimBody: ClaimBody,
  timeoutMs: number | undefined,
  signal: AbortSignal,
): Promise<HeldAccess> {
  const asked = await ask(session, wanted);
  const atOnce = heldIn(asked);
  if (atOnce !== undefined) return atOnce;
  const { id, status } = asked.request;
  try {
    signal.throwIfAborted();
    if (status === "PENDING") {
      const advice = "allow more time with --timeout, or ask its approvers first with jit ask";
      await decided(session, id, { signal, advice, ...(timeoutMs !== undefined && { timeoutMs }) });
    }
    signal.throwIfAborted();
    const held = heldIn(await claim(session, id, claimBody));
    if (held === undefined)
      throw new Failure("unreachable", "bad_answer", `${id} was claimed without a token.`);
    return held;
  } catch (error) {
    const isOver = error instanceof Failure && error.exitCode === exitCodes.ended.code;
    if (!isOver) await withdraw(session, id);
    throw error;
  }
}

function heldIn({ request }: RequestSnapshot): HeldAccess | undefined {
  const { id, credential, expiresAt } = request;
  const token = credential?.token;
  if (token === undefined || expiresAt === null) return undefined;
  return { id, token, expiresAt, targets: credential?.targets ?? [] };
}

/** Nobody is going to use it any more: withdrawn, or ended when it was started without our hearing of it. */
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

/** How long a command may take to end after it was told to. */
const endGraceMs = 10 * secondMs;
/** After this a supervisor may lose its patience with us too, so the access goes first. */
const giveBackGraceMs = 5 * secondMs;

async function runHolding(session: Session, held: HeldAccess, run: Run, signals: Signals): Promise<number> {
  const giveBack = givingBack(session, held);
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
    const watching = sayWhenOver(session, held, run, child, commandEnded.signal, timers);
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

async function sayWhenOver(
  session: Session,
  held: HeldAccess,
  { name, killOnEnd }: Run,
  child: Child,
  commandEnded: AbortSignal,
  timers: NodeJS.Timeout[],
): Promise<void> {
  const why = await watch(session, held, commandEnded);
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

/** The long-lived key stays here: the command gets what it needs and nothing that outlives it. */
function environmentOf(
  session: Session,
  { id, token, expiresAt }: HeldAccess,
  targets: readonly TargetWithFile[],
) {
  const tools = toolEnvironment(targets);
  for (const text of tools.notes) session.note(text);
  const left = new Set(["JIT_KEY", "JIT_KEY_FILE", ...tools.unset]);
  const rest = Object.fromEntries(Object.entries(session.io.environment).filter(([name]) => !left.has(name)));
  return {
    ...rest,
    ...targetEnvironment(targets),
    ...tools.set,
    JIT_TOKEN: token,
    JIT_REQUEST: id,
    JIT_EXPIRES_AT: expiresAt,
  };
}

/** Completes the access by its own token, once, however often it is called. Over already is as good. */
function givingBack(session: Session, { id, token, expiresAt }: HeldAccess): () => Promise<void> {
  let giving: Promise<void> | undefined;
  const give = async (): Promise<void> => {
    try {
      await session.api.post(requestPath(id, "complete"), {}, { bearer: token });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const isOver = ["unauthenticated", "not_active"].includes(error.code);
      if (!isOver)
        session.note(`${id} could not be given back and lasts until ${expiresAt}: ${error.message}`);
    }
  };
  return () => (giving ??= give());
}

const retryAfterOutageMs = 5 * secondMs;

/**
 * Why the access is over; undefined when the command ended first. A service that is away does not keep us from knowing
 * the time.
 */
async function watch(
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
      const { status = "over", endReason = null } = snapshot?.request ?? {};
      return endReason === null ? status : `${status}: ${endReason}`;
    } catch (error) {
      if (commandEnded.aborted) return undefined;
      if (io.now() >= expiresAt) return "its time was over";
      const pauseMs = mayPass(error) ? retryAfterOutageMs : hourMs;
      await io.pause(Math.min(pauseMs, expiresAt - io.now()), commandEnded);
      if (commandEnded.aborted) return undefined;
    }
  }
}

import type { Logger } from "pino";
import { closeApplication, createApplication, type Application } from "./app/application.ts";
import { createSweeps } from "./app/sweeps.ts";
import {
  connectorProblemsOf,
  ensureAdminKey,
  readStoredAdminKey,
  loadConfiguration,
} from "./app/load-configuration.ts";
import { startIntervalSweeps } from "./app/interval-sweeps.ts";
import { StartupError, explainStartFailure } from "./app/startup-error.ts";
import { offerReloads, reloadsOf, type Reloads } from "./app/reloads.ts";
import { reloadOnSighup, stopOnSignal } from "./app/signals.ts";
import { logSurfaces } from "./app/log-surfaces.ts";
import { loadEnvFile } from "./config/env-file.ts";
import { programVersion } from "./core/values/program-version.ts";
import { readEnvironment, type Settings } from "./config/environment.ts";
import { createHttpServer } from "./http/server.ts";
import { createLogger } from "./app/observability/logger.ts";
import { readinessOf } from "./app/observability/readiness.ts";
import { createStandardOutput } from "./app/observability/standard-output.ts";
import { createTerminalWatch } from "./app/process/terminal-watch.ts";
import { StoreOpenError } from "./store/open-store.ts";
import {
  isCronExpression,
  createSweepScheduler,
  type SweepScheduler,
} from "./background/sweeps/scheduler.ts";

function readSettings(): Settings {
  const problems = loadEnvFile(process.env);
  if (problems.length > 0) throw new StartupError(problems);
  const settings = readEnvironment(process.env);
  if ("problems" in settings) {
    throw new StartupError(settings.problems.map(({ name, message }) => `${name} ${message}.`));
  }
  if (!isCronExpression(settings.ok.sweepCron)) {
    throw new StartupError([`JIT_SWEEP_CRON must be a cron expression such as */5 * * * * *.`]);
  }
  return settings.ok;
}

/** Loads what the application needs before it serves anybody. Closes the application if that fails. */
async function prepareApplication(
  settings: Settings,
  adminKey: string | undefined,
  app: Application,
  log: Logger,
): Promise<void> {
  try {
    await app.auditFile?.start().catch((error: unknown) => {
      const why = error instanceof Error ? error.message : "unknown";
      throw new StartupError([`AUDIT_FILE cannot be written: ${why}.`]);
    });
    await loadConfiguration(settings, app, log);
    await ensureAdminKey(settings, adminKey, app.context, log);
    await app.relay.begin();
    await app.stateWatch.begin();
  } catch (error) {
    await closeApplication(app);
    throw explainStartFailure(error);
  }
}

async function run(): Promise<void> {
  const isTerminalClosed = createTerminalWatch();
  const settings = readSettings();
  const storedKey = readStoredAdminKey(settings);
  const log = createLogger(settings.logLevel, createStandardOutput());
  log.info({ version: programVersion, node: process.version }, "starting");
  const onFatal = (err: unknown): void => {
    // The state on disk is unknown, so any answer could be wrong. Exit: the next start recovers from disk.
    log.fatal({ err }, "commit outcome unknown, exiting");
    process.exit(70);
  };
  const app = await createApplication(settings, log, onFatal);
  const { services, store, context, chatSurfaces } = app;
  await prepareApplication(settings, storedKey, app, log);
  const reloads = reloadsOf(settings, app, log);
  const scheduler = createSweepScheduler(
    settings.sweepCron,
    createSweeps(app, log),
    context.runtime,
    (err, sweep) => log.error({ err, sweep }, "sweep failed"),
  );
  const intervalSweeps = startIntervalSweeps(app, log);
  const unavailable = async (): Promise<readonly string[]> => [...(await connectorProblemsOf(app)).keys()];
  observeState(app, scheduler, reloads, unavailable);
  const server = await createHttpServer(services, {
    ...(settings.publicUrl !== undefined && { publicUrl: settings.publicUrl }),
    trustedProxies: settings.trustedProxies,
    ratePerMinute: settings.rateLimitPerMinute,
    loggerInstance: log,
    readiness: readinessOf(store, app.guarded, scheduler, reloads.state, unavailable),
    metrics: app.metrics,
    mounts: app.mounts,
  });
  reloadOnSighup(reloads.request, isTerminalClosed, log);
  const reloadSocket = await offerReloads(settings, reloads, log);
  const stop = async (): Promise<void> => {
    await server.close();
    await Promise.all([chatSurfaces.stop(), reloads.end(), scheduler.stop(), intervalSweeps.stop()]);
    await reloadSocket?.close();
    await closeApplication(app);
    log.info("stopped");
  };
  try {
    // Record what became due while the service was down before the first response.
    await scheduler.tick();
    void intervalSweeps.tick();
    const address = await server.listen({ host: settings.host, port: settings.port });
    chatSurfaces.start();
    logSurfaces(settings, log);
    stopOnSignal(stop, log);
    // After the signal handlers, because a reader of this line may send a signal at once.
    log.info({ address, publicUrl: settings.publicUrl ?? address }, "listening");
    scheduler.begin();
  } catch (error) {
    await stop();
    const isSystemError = error instanceof Error && "syscall" in error;
    throw isSystemError
      ? new StartupError([`HOST and PORT cannot be listened on: ${error.message}.`])
      : error;
  }
}

/** Adds the gauges that each scrape reads from the state. */
function observeState(
  { store, context, guarded, metrics }: Application,
  scheduler: SweepScheduler,
  reloads: Reloads,
  unavailable: () => Promise<readonly string[]>,
): void {
  metrics.observe({
    store,
    now: context.runtime.now,
    lastSweepAt: scheduler.lastSuccessAt,
    configuration: reloads.state,
    clockBehindMs: guarded.clock.behindMs,
    isReserveMissing: guarded.reserve.isMissing,
    auditHead: guarded.auditHead.state,
    connectors: unavailable,
    isLockedDown: async () => (await context.rulebook()).book.lockdown,
  });
}

try {
  await run();
} catch (error) {
  if (!(error instanceof StartupError) && !(error instanceof StoreOpenError)) throw error;
  const lines = error instanceof StartupError ? error.lines : [error.message];
  const text = `jit-access did not start:\n${lines.map((line) => `  ${line}\n`).join("")}`;
  // Exit at once, because a call in flight to an unresponsive target would keep the event loop alive for seconds.
  process.stderr.write(text, () => process.exit(1));
}

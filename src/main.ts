import type { Logger } from "pino";
import { buildHouse, closeHouse, sweepsOf, type House } from "./app/application.ts";
import {
  connectorProblemsOf,
  ensureAdminKey,
  keptAdminKey,
  loadConfiguration,
} from "./app/load-configuration.ts";
import { startIntervalSweeps } from "./app/interval-sweeps.ts";
import { Refused, whyNotStarted } from "./app/startup-error.ts";
import { offerReloads, reloadsOf } from "./app/reloads.ts";
import { reloadOnSighup, stopOnSignal } from "./app/signals.ts";
import { tellSurfaces } from "./app/log-surfaces.ts";
import { loadEnvFile } from "./config/env-file.ts";
import { programVersion } from "./core/values/program-version.ts";
import { readEnvironment, type Settings } from "./config/environment.ts";
import { createHttpServer } from "./http/server.ts";
import { createLogger } from "./app/observability/logger.ts";
import { readinessOf } from "./app/observability/readiness.ts";
import { createTerminalWatch } from "./app/process/terminal-watch.ts";
import { writeByTurns } from "./app/process/write-per-tick.ts";
import { StartRefused } from "./store/shared/store-open-error.ts";
import { isCronExpression, createTimetable } from "./background/sweeps/scheduler.ts";

function readSettings(): Settings {
  const problems = loadEnvFile(process.env);
  if (problems.length > 0) throw new Refused(problems);
  const settings = readEnvironment(process.env);
  if ("problems" in settings) {
    throw new Refused(settings.problems.map(({ name, message }) => `${name} ${message}.`));
  }
  if (!isCronExpression(settings.ok.sweepCron)) {
    throw new Refused([`JIT_SWEEP_CRON must be a cron expression such as */5 * * * * *.`]);
  }
  return settings.ok;
}

/** What the house needs before anybody comes in; without it, it is closed again. */
async function furnish(
  settings: Settings,
  adminKey: string | undefined,
  house: House,
  log: Logger,
): Promise<void> {
  try {
    await house.auditFile?.start().catch((error: unknown) => {
      const why = error instanceof Error ? error.message : "unknown";
      throw new Refused([`AUDIT_FILE cannot be written: ${why}.`]);
    });
    await loadConfiguration(settings, house, log);
    await ensureAdminKey(settings, adminKey, house.context, log);
    await house.relay.begin();
    await house.stateWatch.begin();
  } catch (error) {
    await closeHouse(house);
    throw whyNotStarted(error);
  }
}

async function run(): Promise<void> {
  const isTerminalClosed = createTerminalWatch();
  // A log reader that goes away must not take the guard of production systems with it.
  process.stdout.on("error", () => undefined);
  const settings = readSettings();
  const kept = keptAdminKey(settings);
  const log = createLogger(
    settings.logLevel,
    writeByTurns((text) => process.stdout.write(text)),
  );
  log.info({ version: programVersion, node: process.version }, "starting");
  const onFatal = (err: unknown): void => {
    // What the disk holds is unknown from here on: answering anybody could be a lie. Starting again reads the truth.
    log.fatal({ err }, "the database failed while writing");
    process.exit(70);
  };
  const house = await buildHouse(settings, log, onFatal);
  const { services, store, context, chatSurfaces } = house;
  await furnish(settings, kept, house, log);
  const reloads = reloadsOf(settings, house, log);
  const timetable = createTimetable(
    settings.sweepCron,
    sweepsOf(house, log),
    context.surroundings,
    (err, sweep) => log.error({ err, sweep }, "sweep failed"),
  );
  const intervalSweeps = startIntervalSweeps(house, log);
  const unavailable = async (): Promise<readonly string[]> => [...(await connectorProblemsOf(house)).keys()];
  house.metrics.observe({
    store,
    now: context.surroundings.now,
    lastSweepAt: timetable.lastGoodAt,
    configuration: reloads.state,
    clockBehindMs: house.guarded.clock.behindMs,
    isReserveMissing: house.guarded.reserve.isMissing,
    auditHead: house.guarded.auditHead.state,
    connectors: unavailable,
    isLockedDown: async () => (await context.rulebook()).book.lockdown,
  });
  const server = await createHttpServer(services, {
    ...(settings.publicUrl !== undefined && { publicUrl: settings.publicUrl }),
    trustedProxies: settings.trustedProxies,
    ratePerMinute: settings.rateLimitPerMinute,
    loggerInstance: log,
    readiness: readinessOf(store, house.guarded, timetable, reloads.state, unavailable),
    metrics: house.metrics,
    mounts: house.mounts,
  });
  reloadOnSighup(reloads.request, isTerminalClosed, log);
  const reloadSocket = await offerReloads(settings, reloads, log);
  const stop = async (): Promise<void> => {
    await server.close();
    await Promise.all([chatSurfaces.stop(), reloads.end(), timetable.stop(), intervalSweeps.stop()]);
    await reloadSocket?.close();
    await closeHouse(house);
    log.info("stopped");
  };
  try {
    // What came due while we were down is written before the first answer.
    await timetable.tick();
    void intervalSweeps.tick();
    const address = await server.listen({ host: settings.host, port: settings.port });
    chatSurfaces.start();
    tellSurfaces(settings, log);
    log.info({ address, publicUrl: settings.publicUrl ?? address }, "listening");
    // In a later turn: whoever waits for that line has it.
    setImmediate(timetable.begin);
  } catch (error) {
    await stop();
    const isOutside = error instanceof Error && "syscall" in error;
    throw isOutside ? new Refused([`HOST and PORT cannot be listened on: ${error.message}.`]) : error;
  }
  stopOnSignal(stop, log);
}

try {
  await run();
} catch (error) {
  if (!(error instanceof Refused) && !(error instanceof StartRefused)) throw error;
  const lines = error instanceof Refused ? error.lines : [error.message];
  const said = `jit-access did not start:\n${lines.map((line) => `  ${line}\n`).join("")}`;
  // Ended here and now: a call under way to a target that is silent would hold the event loop for seconds.
  process.stderr.write(said, () => process.exit(1));
}

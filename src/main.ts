import closeWithGrace from "close-with-grace";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Logger } from "pino";
import { findConfiguration, type FoundConfiguration } from "./config/find-configuration.ts";
import { readEnvironment, type Settings } from "./config/environment.ts";
import { isRefusal } from "./core/refusals.ts";
import { formatDuration, secondMs } from "./core/time.ts";
import { createHttpServer } from "./http/server.ts";
import { createLogNotices } from "./outbox/log-notices.ts";
import { createRelay, type Relay } from "./outbox/relay.ts";
import { createTargetRunners } from "./outbox/target-runners.ts";
import { adminKeyFileOf, readAdminKey, writeAdminKey } from "./runtime/admin-key-file.ts";
import { createClock } from "./runtime/clock.ts";
import { createLogger } from "./runtime/logger.ts";
import { createMetrics, type Metrics } from "./runtime/metrics.ts";
import { readinessOf } from "./runtime/readiness.ts";
import { createSurroundings } from "./runtime/surroundings.ts";
import { createConnectorSet, type ConnectorSet } from "./service/connector-set.ts";
import { createConfigurationService } from "./service/configuration-service.ts";
import { createInstallationService } from "./service/installation-service.ts";
import type { ServiceContext } from "./service/loading.ts";
import type { Store } from "./service/ports.ts";
import { createRulebookReader } from "./service/rulebook-reader.ts";
import { createServices, type Services } from "./service/services.ts";
import { watched, type Watcher } from "./service/watched-store.ts";
import { createChanges } from "./service/changes.ts";
import { openSqliteStore } from "./store/sqlite-store.ts";
import { StartRefused } from "./store/start-refused.ts";
import { createBookkeepingSweep } from "./sweeps/bookkeeping.ts";
import { createExpirySweep, createRequestSweep } from "./sweeps/due-requests.ts";
import { startOrphanSweep } from "./sweeps/orphans.ts";
import { createOverdueSweep } from "./sweeps/overdue.ts";
import { isCronExpression, startTimetable } from "./sweeps/timetable.ts";

/** Read in the working directory when it is there. */
const settingsFile = ".env";
const shipped = resolve(import.meta.dirname, "..");

/** Why the service does not start: lines for the operator, no stack. */
class Refused extends Error {
  readonly lines: readonly string[];
  constructor(lines: readonly string[]) {
    super(lines.join("\n"));
    this.lines = lines;
  }
}

function readSettings(): Settings {
  // What is set already wins over the file.
  if (existsSync(settingsFile)) process.loadEnvFile(settingsFile);
  const settings = readEnvironment(process.env);
  if ("problems" in settings) {
    throw new Refused(settings.problems.map(({ name, message }) => `${name} ${message}.`));
  }
  if (!isCronExpression(settings.ok.sweepCron)) {
    throw new Refused([`JIT_SWEEP_CRON must be a cron expression such as */5 * * * * *.`]);
  }
  return settings.ok;
}

/** Finds, checks and loads the configuration; what it says replaces what the file said before, in one commit. */
async function loadConfiguration(
  settings: Settings,
  { context, connectors }: Pick<House, "context" | "connectors">,
  log: Logger,
): Promise<void> {
  const lastSource = await context.store.rulesSource();
  const found: FoundConfiguration = findConfiguration(settings, lastSource, process.env, shipped);
  if ("problems" in found) throw new Refused(found.problems);
  // No kind of connector is there in this version, and the file is refused when it names one.
  const loaded = await connectors.replace(new Map(), () =>
    createConfigurationService(context).load(found.content, found.source, found.file),
  );
  if (isRefusal(loaded)) throw new Refused([`${found.file} was not loaded: ${loaded.detail}`]);
  log.info({ file: found.file, ...loaded }, "configuration loaded");
  if (found.source === "example") {
    log.warn(
      { file: found.file },
      "running on the example configuration: copy jit.example.yaml to jit.yaml and edit it before anybody relies on this",
    );
  }
}

/** Before anything is opened or written: a file that cannot be trusted ends the start. */
function keptAdminKey(settings: Settings): string | undefined {
  const kept = readAdminKey(adminKeyFileOf(settings.databaseFile));
  if ("problem" in kept) throw new Refused([kept.problem]);
  return kept.key;
}

async function ensureAdminKey(
  settings: Settings,
  kept: string | undefined,
  context: ServiceContext,
  log: Logger,
): Promise<void> {
  const file = adminKeyFileOf(settings.databaseFile);
  const key = await createInstallationService(context).ensureAdminKey(settings.adminKey, kept);
  if (isRefusal(key)) throw new Refused([key.detail]);
  if (key.kind === "made") writeAdminKey(file, key.token);
  if (key.kind === "made" && settings.adminKey !== undefined) {
    log.warn(
      "JIT_ADMIN_KEY names a key that was deleted or reported as leaked: it stays dead, and a new one was made",
    );
  }
  if (key.kind === "given") log.info("the admin key is the one in JIT_ADMIN_KEY");
  else log.info({ file: resolve(file) }, "the admin key is in this file");
}

const comesLater = "not in this version";

/** What is on, what is off, and what would turn it on. */
function tellSurfaces(settings: Settings, log: Logger): void {
  log.info({ surface: "api", state: "on", docs: "/docs" }, "surface");
  for (const surface of ["slack", "teams", "email"] as const) {
    const line = { surface, state: "off", turnOn: comesLater };
    if (settings[surface] === undefined) log.info(line, "surface");
    else log.warn({ ...line, settings: "checked and otherwise unused" }, "surface");
  }
}

interface House {
  readonly store: Store;
  readonly services: Services;
  readonly relay: Relay;
  readonly context: ServiceContext;
  readonly connectors: ConnectorSet;
  readonly metrics: Metrics;
}

async function buildHouse(
  settings: Settings,
  log: Logger,
  onFatal: (fault: unknown) => void,
): Promise<House> {
  const now = createClock({ system: Date.now, monotonic: () => performance.now() });
  const surroundings = createSurroundings(now);
  const plain = await openSqliteStore({
    file: settings.databaseFile,
    migrationsFolder: join(shipped, "migrations"),
    onFatal,
  });
  // The relay works on the store that wakes it: an effect may leave another one.
  let relay: Relay | undefined;
  const changes = createChanges();
  const wake: Watcher = ({ effects }) => {
    if (effects.length > 0) relay?.nudge();
  };
  const metrics = createMetrics();
  const store = watched(plain, [wake, changes.watcher, metrics.watcher]);
  const connectors = createConnectorSet();
  const context: ServiceContext = {
    store,
    connectors: connectors.current,
    changes,
    surroundings,
    rulebook: createRulebookReader(store),
    configured: new Set(),
  };
  const onFault = (err: unknown): void => log.error({ err }, "fault");
  const firstAttempt = async (_: string, withinMs: number): Promise<void> => {
    const { promise, resolve: passed } = Promise.withResolvers<void>();
    const timer = setTimeout(passed, withinMs);
    await Promise.race([relay?.drain(), promise]);
    clearTimeout(timer);
  };
  const services = createServices(context, firstAttempt, onFault);
  relay = createRelay(
    store,
    surroundings,
    {
      notify: createLogNotices(log),
      end_access_of: {
        run: ({ identityId }) => services.grants.endAccessOf(identityId, "its holder is no longer active"),
      },
      ...createTargetRunners(services.targets),
    },
    (err, about) => log.error({ err, ...about }, "effect failed"),
  );
  return { store, services, relay, context, connectors, metrics };
}

async function run(): Promise<void> {
  // A log reader that goes away must not take the guard of production systems with it.
  process.stdout.on("error", () => undefined);
  const settings = readSettings();
  const kept = keptAdminKey(settings);
  const log = createLogger(settings.logLevel, (line) => process.stdout.write(line));
  const onFatal = (err: unknown): void => {
    // What the disk holds is unknown from here on: answering anybody could be a lie. Starting again reads the truth.
    log.fatal({ err }, "the database failed while writing");
    process.exit(70);
  };
  const house = await buildHouse(settings, log, onFatal);
  const { services, store, relay, context } = house;
  try {
    await loadConfiguration(settings, house, log);
    await ensureAdminKey(settings, kept, context, log);
  } catch (error) {
    await store.close();
    throw error;
  }
  const timetable = startTimetable(
    settings.sweepCron,
    [
      createExpirySweep(store, services.grants, context.surroundings),
      createRequestSweep(store, services.grants, context.surroundings),
      createOverdueSweep(store, services.targets, context.surroundings, (late) =>
        log.warn(late, "access that is over is still not taken back"),
      ),
      createBookkeepingSweep(services, relay, context.surroundings),
    ],
    context.surroundings,
    (err, sweep) => log.error({ err, sweep }, "sweep failed"),
  );
  const orphans = startOrphanSweep(context.connectors, services.orphans, (err, connector) =>
    log.error({ err, connector }, "target could not be listed"),
  );
  house.metrics.observe({ store, now: context.surroundings.now, lastSweepAt: timetable.lastGoodAt });
  const server = await createHttpServer(services, {
    ...(settings.publicUrl !== undefined && { publicUrl: settings.publicUrl }),
    trustedProxies: settings.trustedProxies,
    ratePerMinute: settings.rateLimitPerMinute,
    loggerInstance: log,
    readiness: readinessOf(store, context.surroundings, timetable),
    metrics: house.metrics,
  });
  const reloads = reloadOnSighup(() => loadConfiguration(settings, house, log), log);
  const stop = async (): Promise<void> => {
    await server.close();
    await reloads.end();
    await timetable.stop();
    await orphans.stop();
    await relay.stop();
    await house.connectors.close();
    await services.usage.flush(context.surroundings.now());
    await services.refusals.flush(context.surroundings.now(), true);
    await store.close();
    log.info("stopped");
  };
  try {
    // What came due while we were down is written before the first answer.
    await timetable.tick();
    void orphans.tick();
    const address = await server.listen({ host: settings.host, port: settings.port });
    tellSurfaces(settings, log);
    log.info({ address, publicUrl: settings.publicUrl ?? address }, "listening");
  } catch (error) {
    await stop();
    const isOutside = error instanceof Error && "syscall" in error;
    throw isOutside ? new Refused([`HOST and PORT cannot be listened on: ${error.message}.`]) : error;
  }
  stopOnSignal(stop, log);
}

/** The configuration is read again at each SIGHUP, one reading after the other. */
function reloadOnSighup(reload: () => Promise<void>, log: Logger): { readonly end: () => Promise<void> } {
  let reloading: Promise<void> = Promise.resolve();
  let isOver = false;
  process.on("SIGHUP", () => {
    if (isOver) return;
    reloading = reloading.then(reload).catch((error: unknown) => {
      const why = error instanceof Refused ? { problems: error.lines } : { err: error };
      log.error(why, "reload refused; nothing has changed");
    });
  });
  return {
    async end() {
      isOver = true;
      await reloading;
    },
  };
}

/** Stops once, in order, on the signals that ask for it and on a fault nobody caught. */
function stopOnSignal(stop: () => Promise<void>, log: Logger): void {
  const delay = 10 * secondMs;
  const onTimeout = (): void => log.fatal(`did not stop within ${formatDuration(delay)}`);
  // SIGHUP reloads; left to its own devices closeWithGrace would stop on it.
  closeWithGrace({ delay, logger: false, skip: ["SIGHUP"], onTimeout }, async ({ err }) => {
    if (err !== undefined) log.error({ err }, "stopping because of a fault");
    await stop().catch((fault: unknown) => {
      log.fatal({ err: fault }, "did not stop cleanly");
      throw fault;
    });
  });
}

try {
  await run();
} catch (error) {
  if (!(error instanceof Refused) && !(error instanceof StartRefused)) throw error;
  const lines = error instanceof Refused ? error.lines : [error.message];
  process.stderr.write(`jit-access did not start:\n${lines.map((line) => `  ${line}\n`).join("")}`);
  process.exitCode = 1;
}

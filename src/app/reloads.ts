import type { Logger } from "pino";
import { defaultConfigFile } from "../config/config-source.ts";
import type { Settings } from "../config/environment.ts";
import type { Instant } from "../core/values/ids.ts";
import type { ConfigurationState } from "./observability/configuration-state.ts";
import { redactSecrets } from "./observability/redact-secrets.ts";
import {
  openReloadSocket,
  reloadSocketOf,
  type ReloadResult,
  type ReloadSocket,
} from "./process/reload-socket.ts";
import { recordRefusedConfiguration } from "../service/policies/record-refused-configuration.ts";
import { loadConfiguration, type LoadedConfiguration } from "./load-configuration.ts";
import type { Application } from "./application.ts";
import { StartupError } from "./startup-error.ts";

export interface ReloadPorts {
  /** @throws {@link Refused} when the file is not taken; then everything is as before */
  readonly load: () => Promise<LoadedConfiguration>;
  /** Puts a refused reload on record. */
  readonly record: (problems: readonly string[]) => Promise<void>;
  readonly now: () => Instant;
  readonly log: Logger;
}

export interface Reloads {
  /**
   * Reads the configuration again. One reading follows the other; those who ask while one runs share the next, which
   * begins after they asked.
   */
  readonly request: () => Promise<ReloadResult>;
  readonly state: () => ConfigurationState;
  /** Takes no more, and waits for the one that runs. */
  readonly end: () => Promise<void>;
}

/** How this program reloads: the audit file is opened anew, then the configuration file is read. */
export function reloadsOf(settings: Settings, app: Application, log: Logger): Reloads {
  const { context, auditFile } = app;
  const file = settings.configFile ?? defaultConfigFile;
  return createReloads({
    load: async () => {
      await auditFile?.reopen();
      return loadConfiguration(settings, app, log);
    },
    record: async (problems) => recordRefusedConfiguration(context, file, problems),
    now: context.runtime.now,
    log,
  });
}

/** Lets `npm run reload` in. Without it the service runs all the same, and SIGHUP still reloads. */
export async function offerReloads(
  { databaseFile }: Settings,
  { request }: Reloads,
  log: Logger,
): Promise<ReloadSocket | undefined> {
  const path = reloadSocketOf(databaseFile);
  return openReloadSocket(path, request).catch((err: unknown) => {
    log.warn({ err, path }, "reload socket unavailable; SIGHUP still reloads");
    return undefined;
  });
}

/** The service has loaded its configuration when this is called. */
export function createReloads({ load, record, now, log }: ReloadPorts): Reloads {
  let state: ConfigurationState = { loadedAt: now() };
  let last: Promise<unknown> = Promise.resolve();
  /** Has not begun yet: it reads what the file says after everybody who asked so far. */
  let waiting: Promise<ReloadResult> | undefined;
  let isOver = false;

  const refuse = async (thrown: unknown): Promise<ReloadResult> => {
    const isRefused = thrown instanceof StartupError;
    const problems = (isRefused ? thrown.lines : [`The reload failed: ${messageOf(thrown)}`]).map(
      redactSecrets,
    );
    state = { ...state, refused: { at: now(), problems: problems.length } };
    if (isRefused) log.error({ problems }, "reload rejected, configuration unchanged");
    else log.error({ err: thrown }, "reload failed");
    try {
      await record(problems);
    } catch (err) {
      log.error({ err }, "background error");
    }
    return { ok: false, problems };
  };

  const reload = async (): Promise<ReloadResult> => {
    if (isOver) return stopping;
    try {
      const loaded = await load();
      state = { loadedAt: now() };
      return { ok: true, ...loaded };
    } catch (error) {
      return refuse(error);
    }
  };

  return {
    request: async () => {
      if (isOver) return stopping;
      if (waiting === undefined) {
        waiting = last.then(async () => {
          waiting = undefined;
          return reload();
        });
        last = waiting;
      }
      return waiting;
    },
    state: () => state,
    end: async () => {
      isOver = true;
      await last;
    },
  };
}

const stopping: ReloadResult = { ok: false, problems: ["The service is stopping."] };

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "unknown";
}

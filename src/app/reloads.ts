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
  /** @throws {@link StartupError} when the file is rejected; nothing has changed then */
  readonly load: () => Promise<LoadedConfiguration>;
  /** Records a rejected reload in the audit log. */
  readonly record: (problems: readonly string[]) => Promise<void>;
  readonly now: () => Instant;
  readonly log: Logger;
}

export interface Reloads {
  /**
   * Reads the configuration again. Reloads run one at a time; requests made during one share the next, so that each
   * request is served by a reload that began after it.
   */
  readonly request: () => Promise<ReloadResult>;
  readonly state: () => ConfigurationState;
  /** Refuses further reloads and waits for the current one. */
  readonly end: () => Promise<void>;
}

/** Creates the reloads of this program: each reopens the audit file, then loads the configuration file. */
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

/** Opens the socket for `npm run reload`. The service also runs without it, and SIGHUP still reloads. */
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

/** Call it after the service has loaded its configuration. */
export function createReloads({ load, record, now, log }: ReloadPorts): Reloads {
  let state: ConfigurationState = { loadedAt: now() };
  let last: Promise<unknown> = Promise.resolve();
  /** The next reload, shared by everybody who asks before it begins. */
  let waiting: Promise<ReloadResult> | undefined;
  let hasEnded = false;

  const refuse = async (thrown: unknown): Promise<ReloadResult> => {
    const isRejected = thrown instanceof StartupError;
    const problems = (isRejected ? thrown.lines : [`The reload failed: ${messageOf(thrown)}`]).map(
      redactSecrets,
    );
    state = { ...state, refused: { at: now(), problems: problems.length } };
    if (isRejected) log.error({ problems }, "reload rejected, configuration unchanged");
    else log.error({ err: thrown }, "reload failed");
    try {
      await record(problems);
    } catch (err) {
      log.error({ err }, "background error");
    }
    return { ok: false, problems };
  };

  const reload = async (): Promise<ReloadResult> => {
    if (hasEnded) return stopping;
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
      if (hasEnded) return stopping;
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
      hasEnded = true;
      await last;
    },
  };
}

const stopping: ReloadResult = { ok: false, problems: ["The service is stopping."] };

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "unknown";
}

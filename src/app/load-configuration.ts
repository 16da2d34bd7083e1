import { resolve } from "node:path";
import type { Logger } from "pino";
import type { Settings } from "../config/environment.ts";
import { findConfiguration, type FoundConfiguration } from "../config/find-configuration.ts";
import { createConnectorAt, createConnectors } from "../connectors/connectors.ts";
import { isRefusal } from "../core/values/refusals.ts";
import { adminKeyFileOf, readAdminKey, writeAdminKey } from "./process/admin-key-file.ts";
import { yieldToEventLoop } from "./process/yield-to-event-loop.ts";
import { createConfigurationService, type Loaded } from "../service/policies/configuration-service.ts";
import { createBootstrapService } from "../service/people/bootstrap-service.ts";
import type { ServiceContext } from "../service/decisions/load-facts.ts";
import {
  connectorProblems,
  reconcileConnectors,
  whyNotLeave,
} from "../service/targets/reconcile-connectors.ts";
import type { Application } from "./application.ts";
import { StartupError } from "./startup-error.ts";
import { packageRoot } from "./package-root.ts";

/** The most warnings in one log line; the line also has the total. */
const warningsMax = 50;

/** The result of loading a configuration. */
export interface LoadedConfiguration extends Loaded {
  readonly file: string;
  /** Lines for the operator, at most as many as the log has. */
  readonly warnings: readonly string[];
}

/** Finds, checks and loads the configuration. One commit replaces what was loaded from the file before. */
export async function loadConfiguration(
  settings: Settings,
  {
    context,
    services,
    webhooks,
    connectors,
  }: Pick<Application, "context" | "services" | "webhooks" | "connectors">,
  log: Logger,
): Promise<LoadedConfiguration> {
  const { store } = context;
  const lastSource = await store.rulesSource();
  const inUse = new Set((await store.connectorsInUse()).map(({ connector }) => connector));
  const found: FoundConfiguration = await findConfiguration(settings, lastSource, {
    environment: process.env,
    inUse,
    packageRoot,
    pause: yieldToEventLoop,
  });
  if ("problems" in found) {
    for (const text of found.leaked ?? []) await services.tokenChecks.report(text);
    throw new StartupError(found.problems);
  }
  const instance = await createBootstrapService(context).instanceId();
  const ports = { instance, now: context.runtime.now, mutex: connectors.mutex };
  const before = connectors.current();
  const { unusableConnectors: unusable } = found.content;
  const settled = await reconcileConnectors(context, {
    connectors: await createConnectors(found.content.connectors, ports, before),
    unusable,
    formerAt: async (name, place) => {
      const inForce = before.get(name);
      if (inForce?.place === place) return inForce;
      const written = found.content.connectors.find((connector) => connector.name === name);
      return written && createConnectorAt(written, place, ports);
    },
  });
  const configuration = createConfigurationService(context, yieldToEventLoop);
  const loaded = await connectors.replace(
    settled.connectors,
    // Checked after the new set is in force, so that no new access is provisioned at a connector that is removed.
    async () =>
      (await whyNotLeave(store, before, settled.connectors)) ??
      configuration.load(found.content, found.source, found.file),
    settled.troubles,
  );
  if (isRefusal(loaded)) {
    const errors = loaded.errors ?? [];
    const lines = found.lines(errors.map(({ path, message }) => ({ path: path.split("."), message })));
    throw new StartupError([`${found.file} was not loaded: ${loaded.detail}`, ...lines]);
  }
  for (const move of settled.moves) await move();
  await logConnectorProblems({ context, connectors }, log);
  await webhooks.configure(found.content.webhooks);
  log.info({ file: found.file, ...loaded }, "configuration loaded");
  const placedWarnings = found.source === "example" ? [] : await configuration.warnings(found.content);
  const warnings = found.lines(placedWarnings.slice(0, warningsMax));
  if (placedWarnings.length > 0) {
    log.warn({ file: found.file, warnings, count: placedWarnings.length }, "configuration warnings");
  }
  if (found.source === "example") {
    log.warn(
      { file: found.file },
      "running on the example configuration: copy jit.example.yaml to jit.yaml and edit it before anybody relies on this",
    );
  }
  return { file: found.file, ...loaded, warnings };
}

/** The problems of connectors that differ from the configuration, by connector name. */
export async function connectorProblemsOf({
  context,
  connectors,
}: Pick<Application, "context" | "connectors">): Promise<ReadonlyMap<string, string>> {
  const inUse = await context.store.connectorsInUse();
  return connectorProblems(inUse, connectors.current(), connectors.troubles());
}

/** Logged at every load, because access at an unavailable connector may not end. */
async function logConnectorProblems(
  app: Pick<Application, "context" | "connectors">,
  log: Logger,
): Promise<void> {
  for (const [connector, problem] of await connectorProblemsOf(app))
    log.error({ connector, problem }, "connector not available");
}

/** Reads the key before anything is opened or written, because an untrustworthy file must stop the start. */
export function readStoredAdminKey(settings: Settings): string | undefined {
  const stored = readAdminKey(adminKeyFileOf(settings.databaseFile));
  if ("problem" in stored) throw new StartupError([stored.problem]);
  return stored.key;
}

export async function ensureAdminKey(
  settings: Settings,
  storedKey: string | undefined,
  context: ServiceContext,
  log: Logger,
): Promise<void> {
  const file = adminKeyFileOf(settings.databaseFile);
  const key = await createBootstrapService(context).ensureAdminKey(settings.adminKey, storedKey);
  if (isRefusal(key)) throw new StartupError([key.detail]);
  if (key.kind === "made") writeAdminKey(file, key.token);
  if (key.kind === "made" && settings.adminKey !== undefined) {
    log.warn("JIT_ADMIN_KEY was revoked earlier and stays revoked; new admin key created");
  }
  if (key.kind === "given") log.info("admin key taken from JIT_ADMIN_KEY");
  else log.info({ file: resolve(file) }, "admin key stored");
}

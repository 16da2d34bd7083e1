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

/** Said in one line of the log; the rest are counted. */
const warningsMax = 50;

/** What was loaded, for whoever asked for it. */
export interface LoadedConfiguration extends Loaded {
  readonly file: string;
  /** Lines for the operator; at most so many as the log says. */
  readonly warnings: readonly string[];
}

/** Finds, checks and loads the configuration; what it says replaces what the file said before, in one commit. */
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
  const held = new Set((await store.connectorsInUse()).map(({ connector }) => connector));
  const found: FoundConfiguration = await findConfiguration(settings, lastSource, {
    environment: process.env,
    held,
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
      const written = found.content.connectors.find((one) => one.name === name);
      return written && createConnectorAt(written, place, ports);
    },
  });
  const configuration = createConfigurationService(context, yieldToEventLoop);
  const loaded = await connectors.replace(
    settled.connectors,
    // Asked when those that are to be in force stand already, so that nothing new is ordered at one that leaves.
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
  const slips = found.source === "example" ? [] : await configuration.warnings(found.content);
  const warnings = found.lines(slips.slice(0, warningsMax));
  if (slips.length > 0) {
    log.warn({ file: found.file, warnings, count: slips.length }, "configuration warnings");
  }
  if (found.source === "example") {
    log.warn(
      { file: found.file },
      "running on the example configuration: copy jit.example.yaml to jit.yaml and edit it before anybody relies on this",
    );
  }
  return { file: found.file, ...loaded, warnings };
}

/** By name, what keeps connectors from being what the configuration says. */
export async function connectorProblemsOf({
  context,
  connectors,
}: Pick<Application, "context" | "connectors">): Promise<ReadonlyMap<string, string>> {
  const inUse = await context.store.connectorsInUse();
  return connectorProblems(inUse, connectors.current(), connectors.troubles());
}

/** Said at every load: what an unreachable connector holds is access that may not end. */
async function logConnectorProblems(
  app: Pick<Application, "context" | "connectors">,
  log: Logger,
): Promise<void> {
  for (const [connector, problem] of await connectorProblemsOf(app))
    log.error({ connector, problem }, "connector not available");
}

/** Before anything is opened or written: a file that cannot be trusted ends the start. */
export function readStoredAdminKey(settings: Settings): string | undefined {
  const kept = readAdminKey(adminKeyFileOf(settings.databaseFile));
  if ("problem" in kept) throw new StartupError([kept.problem]);
  return kept.key;
}

export async function ensureAdminKey(
  settings: Settings,
  kept: string | undefined,
  context: ServiceContext,
  log: Logger,
): Promise<void> {
  const file = adminKeyFileOf(settings.databaseFile);
  const key = await createBootstrapService(context).ensureAdminKey(settings.adminKey, kept);
  if (isRefusal(key)) throw new StartupError([key.detail]);
  if (key.kind === "made") writeAdminKey(file, key.token);
  if (key.kind === "made" && settings.adminKey !== undefined) {
    log.warn("JIT_ADMIN_KEY was revoked earlier and stays revoked; new admin key created");
  }
  if (key.kind === "given") log.info("admin key taken from JIT_ADMIN_KEY");
  else log.info({ file: resolve(file) }, "admin key stored");
}

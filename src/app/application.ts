import type { FastifyPluginAsync } from "fastify";
import type { Logger } from "pino";
import { createAuditFile, type AuditFile } from "../notify/audit-file/audit-file.ts";
import type { Settings } from "../config/environment.ts";
import type { OnFault } from "../background/outbox/attempt-effect.ts";
import { createRunners } from "../background/outbox/runners/effect-runners.ts";
import { createRelay, type Relay } from "../background/outbox/relay.ts";
import type { guardedPost } from "../http-client/guarded-post.ts";
import { createMetrics, type Metrics } from "./observability/metrics.ts";
import { createRuntime } from "./process/runtime.ts";
import { ConnectorFault } from "../service/ports/connector.ts";
import { createConnectorSet, type ConnectorSet } from "../service/ports/connector-registry.ts";
import { createRequestChanges } from "../service/ports/request-changes.ts";
import type { ServiceContext } from "../service/decisions/load-facts.ts";
import { DeliveryFault } from "../service/messaging/messenger.ts";
import type { Store } from "../service/ports/store.ts";
import { createRulebookReader } from "../service/decisions/rulebook-reader.ts";
import { createServices, type Services } from "../service/services.ts";
import { createSlices } from "../service/async/time-slices.ts";
import { createUserGroupReader } from "../service/ports/user-groups.ts";
import { guardedFromTokens } from "../service/guards/token-guard.ts";
import { withCommitListeners, type CommitListener } from "../service/ports/observed-store.ts";
import { createStateWatch, type StateWatch } from "../background/sweeps/state-watch.ts";
import { createWebhooks, type Webhooks } from "../notify/webhooks/webhooks.ts";
import type { ChatSurfaces } from "./chat-surfaces.ts";
import { createMessageSurfaces } from "./message-surfaces.ts";
import { openGuardedStore, type GuardedStore } from "./guarded-store.ts";

/** The parts of the running service. */
export interface Application {
  readonly store: Store;
  /** What keeps ended access from coming back. */
  readonly guarded: GuardedStore;
  readonly context: ServiceContext;
  readonly services: Services;
  readonly relay: Relay;
  readonly webhooks: Webhooks;
  readonly auditFile: AuditFile | undefined;
  readonly stateWatch: StateWatch;
  readonly metrics: Metrics;
  /** The connectors in force; a reload replaces them. */
  readonly connectors: ConnectorSet;
  readonly chatSurfaces: ChatSurfaces;
  /** Endpoints of the chat platforms for the HTTP server. */
  readonly mounts: readonly FastifyPluginAsync[];
}

/**
 * Creates every part once: the store, what reaches people and targets, the services on top of them, and what follows
 * their commits. Nothing listens and nothing is called before main.ts starts the parts.
 */
export async function createApplication(
  settings: Settings,
  log: Logger,
  onFatal: (fault: unknown) => void,
): Promise<Application> {
  const onBackgroundError = (err: unknown): void => log.error({ err }, "background error");
  const metrics = createMetrics();
  const guarded = await openGuardedStore(settings, metrics, log, onFatal);
  const { now } = guarded.clock;
  const runtime = createRuntime(now);

  // Every part below commits to this store. Parts that follow commits add their listener when they are created.
  const requestChanges = createRequestChanges();
  const listeners: CommitListener[] = [requestChanges.onCommit, metrics.onCommit];
  const observed = withCommitListeners(guarded.store, listeners);
  const store: Store = guardedFromTokens(observed, () => services.tokenChecks.report, onBackgroundError);

  const { surfaces, chatSurfaces } = await createMessageSurfaces(settings, store, now, log);
  const { userGroups } = chatSurfaces;
  const connectors = createConnectorSet();
  const context: ServiceContext = {
    store,
    connectors: connectors.current,
    addresses: connectors,
    requestChanges,
    runtime,
    accessHold: guarded.accessHold,
    checkAuditHead: guarded.auditHead.check,
    rulebook: createRulebookReader(store),
    slices: createSlices(),
    surfaces,
    ...(userGroups !== undefined && { userGroups: createUserGroupReader(userGroups, now) }),
  };
  const services = createServices(
    context,
    async (_, withinMs) => drainWithin(relay, withinMs),
    onBackgroundError,
  );
  const mounts = await chatSurfaces.open(services);

  const relay = createRelay(store, runtime, createRunners(context, services, log), effectFaultsTo(log));
  const webhooks = createWebhooks({ store, runtime, post: lazyGuardedPost, random: Math.random, log });
  const auditFile =
    settings.auditFile === undefined ? undefined : createAuditFile({ path: settings.auditFile, store, log });
  listeners.push((step) => {
    if (step.effects.length > 0) relay.wake();
    webhooks.onCommit(step);
    auditFile?.onCommit(step);
  });
  const stateWatch = createStateWatch({
    store,
    runtime,
    rememberHead: guarded.auditHead.remember,
    keepReserve: async () => guarded.reserve.keep(),
    alerts: guarded.alerts,
    onFault: (err) => log.error({ err }, "recorded state not written"),
  });
  return {
    store,
    guarded,
    context,
    services,
    relay,
    webhooks,
    auditFile,
    stateWatch,
    metrics,
    connectors,
    chatSurfaces,
    mounts,
  };
}

/** Waits until the relay has tried what is due, but not longer than `ms`. */
async function drainWithin(relay: Relay, ms: number): Promise<void> {
  const { promise: timeout, resolve: onTimeout } = Promise.withResolvers<void>();
  const timer = setTimeout(onTimeout, ms);
  await Promise.race([relay.drain(), timeout]);
  clearTimeout(timer);
}

function effectFaultsTo(log: Logger): OnFault {
  return (err, about) => {
    // A surface or target that does not respond is not our fault, so its code suffices and no stack is logged.
    if (err instanceof DeliveryFault || err instanceof ConnectorFault) {
      log.warn({ ...about, why: err.message }, "effect will be retried");
    } else log.error({ err, ...about }, "effect failed");
  };
}

/** Loads the HTTP client on first use, because most installations have no webhook. */
const lazyGuardedPost: typeof guardedPost = async (...call) => {
  const { guardedPost: post } = await import("../http-client/guarded-post.ts");
  return post(...call);
};

/** Finishes work in flight, writes what was only counted, and closes the parts. The store is closed last. */
export async function closeApplication(app: Application): Promise<void> {
  const { store, services, relay, context, connectors, webhooks, auditFile, stateWatch } = app;
  const { now } = context.runtime;
  await relay.stop();
  await connectors.close();
  await services.credentialUses.flush(now());
  await services.refusals.flush(now(), true);
  await webhooks.stop();
  await auditFile?.stop();
  await stateWatch.stop();
  await store.close();
}

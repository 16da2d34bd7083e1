import type { FastifyPluginAsync } from "fastify";
import type { Logger } from "pino";
import { createAuditFile, type AuditFile } from "../notify/audit-file/audit-file.ts";
import type { Settings } from "../config/environment.ts";
import type { Instant } from "../core/values/ids.ts";
import type { OnFault } from "../background/outbox/attempt-effect.ts";
import { createRunners } from "../background/outbox/runners/effect-runners.ts";
import { createRelay, type Relay } from "../background/outbox/relay.ts";
import type { guardedPost } from "../http-client/guarded-post.ts";
import { createMetrics, type Metrics } from "./observability/metrics.ts";
import { createRuntime } from "./process/runtime.ts";
import { createAddressBook } from "../service/people/address-book.ts";
import { ConnectorFault } from "../service/ports/connector.ts";
import { recheckAddresses } from "../service/targets/connector-addresses.ts";
import { createConnectorSet, type ConnectorSet } from "../service/ports/connector-registry.ts";
import { createRequestChanges } from "../service/ports/request-changes.ts";
import type { ServiceContext } from "../service/decisions/load-facts.ts";
import { DeliveryFault } from "../service/messaging/messenger.ts";
import type { Store } from "../service/ports/store.ts";
import { createRulebookReader } from "../service/decisions/rulebook-reader.ts";
import { createServices, type Services } from "../service/services.ts";
import { createSlices } from "../service/async/time-slices.ts";
import { createSurfaces } from "../service/messaging/surfaces.ts";
import { createUserGroupReader } from "../service/ports/user-groups.ts";
import { guardedFromTokens } from "../service/guards/token-guard.ts";
import { withCommitListeners, type CommitListener } from "../service/ports/observed-store.ts";
import { createStateWatch, type StateWatch } from "../background/sweeps/state-watch.ts";
import { createAddressSweep } from "../background/sweeps/address-sweep.ts";
import { createHousekeepingSweep } from "../background/sweeps/housekeeping-sweep.ts";
import { createOverdueSweep } from "../background/sweeps/overdue-sweep.ts";
import { createExpirySweep, createRequestSweep, type Sweep } from "../background/sweeps/request-sweeps.ts";
import { createWebhooks, type Webhooks } from "../notify/webhooks/webhooks.ts";
import { createChatSurfaces, type ChatSurfaces } from "./chat-surfaces.ts";
import { openGuardedStore, type GuardedStore } from "./guarded-store.ts";

/** Everything that was built, before anything listens. */
export interface Application {
  readonly store: Store;
  /** What keeps access that has ended from coming back. */
  readonly guarded: GuardedStore;
  readonly services: Services;
  readonly relay: Relay;
  readonly context: ServiceContext;
  readonly metrics: Metrics;
  readonly stateWatch: StateWatch;
  readonly webhooks: Webhooks;
  readonly auditFile: AuditFile | undefined;
  /** Ways to targets; a reload swaps them. */
  readonly connectors: ConnectorSet;
  readonly chatSurfaces: ChatSurfaces;
  /** Doors of chat platforms in our server. */
  readonly mounts: readonly FastifyPluginAsync[];
}

/** Builds everything once. Nothing is listened to and nobody is called before {@link Application.surfaces} is started. */
export async function createApplication(
  settings: Settings,
  log: Logger,
  onFatal: (fault: unknown) => void,
): Promise<Application> {
  const metrics = createMetrics();
  const guarded = await openGuardedStore(settings, metrics, log, onFatal);
  const { now } = guarded.clock;
  const runtime = createRuntime(now);
  // The relay and those who follow the audit log work on the store that wakes them: what they do may leave more.
  let relay: Relay | undefined;
  let webhooks: Webhooks | undefined;
  let auditFile: AuditFile | undefined;
  const requestChanges = createRequestChanges();
  const wake: CommitListener = (step) => {
    if (step.effects.length > 0) relay?.wake();
    webhooks?.onCommit(step);
    auditFile?.onCommit(step);
  };
  const onFault = (err: unknown): void => log.error({ err }, "background error");
  const kept = withCommitListeners(guarded.store, [wake, requestChanges.onCommit, metrics.onCommit]);
  const store: Store = guardedFromTokens(kept, () => services.tokenChecks.report, onFault);
  webhooks = createWebhooks({ store, runtime, post: lazyGuardedPost, random: Math.random, log });
  if (settings.auditFile !== undefined) auditFile = createAuditFile({ path: settings.auditFile, store, log });
  const { surfaces, chatSurfaces } = await buildSurfaces(settings, store, now, log);
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
  const firstAttempt = firstAttemptOf(() => relay);
  const services = createServices(context, firstAttempt, onFault);
  relay = createRelay(store, runtime, createRunners(context, services, log), effectFaultsTo(log));
  const mounts = await chatSurfaces.open(services);
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
    services,
    relay,
    context,
    metrics,
    stateWatch,
    webhooks,
    auditFile,
    connectors,
    chatSurfaces,
    mounts,
  };
}

async function buildSurfaces(settings: Settings, store: Store, now: () => Instant, log: Logger) {
  const surfaces = createSurfaces();
  const chatSurfaces = await createChatSurfaces(
    settings,
    { now, addresses: (surface) => createAddressBook(store, surface) },
    log,
  );
  for (const { messenger } of chatSurfaces.all) surfaces.add(messenger);
  if (settings.email !== undefined) {
    const { createEmail } = await import("../notify/email/email-messenger.ts");
    const { chatPlatforms } = await import("../notify/email/ways-to-act.ts");
    const chats = chatPlatforms.filter((platform) => settings[platform] !== undefined);
    surfaces.add(createEmail(settings.email, log, { chats }));
  }
  return { surfaces, chatSurfaces };
}

/** Waits for the relay's first attempt at what is due, no longer than it may take. */
function firstAttemptOf(relay: () => Relay | undefined) {
  return async (_: string, withinMs: number): Promise<void> => {
    const { promise, resolve: passed } = Promise.withResolvers<void>();
    const timer = setTimeout(passed, withinMs);
    await Promise.race([relay()?.drain(), promise]);
    clearTimeout(timer);
  };
}

function effectFaultsTo(log: Logger): OnFault {
  return (err, about) => {
    // The outside not answering is no fault of ours; its code says enough.
    if (err instanceof DeliveryFault || err instanceof ConnectorFault) {
      log.warn({ ...about, why: err.message }, "effect will be retried");
    } else log.error({ err, ...about }, "effect failed");
  };
}

/** Finishes what is under way, writes what was only counted, and closes everything in reverse order. */
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

/** What becomes due by time alone, in the order it is looked at. */
export function sweepsOf(app: Application, log: Logger): readonly Sweep[] {
  const { store, services, relay, context, connectors, webhooks, auditFile } = app;
  return [
    createExpirySweep(store, services.grants, context.runtime),
    createRequestSweep(store, services.grants, context.runtime),
    createOverdueSweep(store, services.targets, context.runtime, (late) =>
      log.warn(late, "take-back overdue"),
    ),
    createHousekeepingSweep(services, relay, context.runtime),
    createAddressSweep(() => recheckAddresses(context, connectors), log),
    webhooks.sweep,
    ...(auditFile === undefined ? [] : [auditFile.sweep]),
  ];
}

/** Most installations call no webhook, and what calls them takes its time to load. */
const lazyGuardedPost: typeof guardedPost = async (...call) => {
  const { guardedPost: post } = await import("../http-client/guarded-post.ts");
  return post(...call);
};

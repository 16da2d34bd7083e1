import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import rateLimit from "@fastify/rate-limit";
import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
  type RouteOptions,
} from "fastify";
import { serializerCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { secondMs } from "../core/values/time.ts";
import type { Services } from "../service/services.ts";
import { addApiKeyRoutes } from "./routes/api-keys.ts";
import { addAuditRoutes } from "./routes/audit.ts";
import {
  createRouteAuthentication,
  createReadRecheck,
  createWriteRecheck,
} from "./middleware/authentication.ts";
import { bodyBytesMax, readJsonBodies } from "./middleware/body-parsers.ts";
import { browserHeaders } from "./middleware/browser-headers.ts";
import { addCheckRoutes, withoutPathBelowCheck } from "./routes/token-check.ts";
import { closeConnectionsSoon } from "./middleware/close-connections.ts";
import { addConnectorRoutes } from "./routes/connectors.ts";
import { addDocumentation } from "./routes/documentation.ts";
import type { App, RouteAccess } from "./middleware/route-access.ts";
import { addEvaluationRoute } from "./routes/policy-evaluation.ts";
import { handleClientError, sendError, handleConnect } from "./middleware/error-handler.ts";
import { addAuditExport } from "./routes/audit-export.ts";
import { addActiveAccessRoutes } from "./routes/active-access.ts";
import { addIdempotency } from "./middleware/idempotency.ts";
import { addMetrics, countResponse, type HttpMetrics } from "./routes/metrics.ts";
import { addHealthRoutes, type Readiness } from "./routes/health.ts";
import { addIdentityRoutes } from "./routes/identities.ts";
import { addFormRoutes } from "./routes/introspection.ts";
import { createLimits, type Limits } from "./middleware/rate-limits.ts";
import { createNotFound, nothingHere } from "./middleware/not-found.ts";
import { addPolicyRoutes } from "./routes/policies.ts";
import { addLockdownRoutes } from "./routes/lockdown.ts";
import { malformed, RefusalError, sendRefusal } from "./formats/problems.ts";
import { createAccessLog, sharedLogger } from "./middleware/access-log.ts";
import { refuseTokens } from "./middleware/refuse-tokens.ts";
import { identityNameLengthMax } from "./formats/request-schemas.ts";
import { addRequestRoutes } from "./routes/requests.ts";
import { addVerbRoutes } from "./routes/request-verbs.ts";
import { validatorCompiler, noJsonSchemaCompilers } from "./formats/validation.ts";

export interface HttpOptions {
  /** The address people use, for the API documentation. Absent: the address the documentation was read from. */
  readonly publicUrl?: string;
  /** Addresses and networks whose forwarded headers are trusted; empty trusts none. */
  readonly trustedProxies: readonly string[];
  /** Calls per key, and per address for calls without a valid key. */
  readonly ratePerMinute: number;
  /** pino or a compatible logger. It masks secrets, although no line logged here should hold one. */
  readonly loggerInstance?: FastifyBaseLogger;
  readonly readiness: Readiness;
  readonly metrics?: HttpMetrics;
  /**
   * Endpoints of chat platforms, each in a scope of its own with its own body parsers. Their calls count by address
   * unless the route's `config` says `limited: "nothing"`.
   */
  readonly mounts?: readonly FastifyPluginAsync[];
}

const headersTimeoutMs = 5 * secondMs;
const requestTimeoutMs = 10 * secondMs;
const timeoutCheckMs = secondMs;
/** Longer than any id or e-mail address, so a longer path parameter names nothing. */
const pathPartLengthMax = identityNameLengthMax;

/** Creates the HTTP server. The caller makes it listen and closes it. */
export async function createHttpServer(services: Services, options: HttpOptions): Promise<App> {
  const app = bareServer(options);
  app.decorateRequest("caller", null);
  app.decorateReply("problemCode", null);
  const stopping = new AbortController();
  app.addHook("preClose", async () => stopping.abort());
  closeConnectionsSoon(app);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(sendError);
  // For a route that finds nothing itself, such as a file of the documentation.
  app.setNotFoundHandler((_, reply) => sendRefusal(reply, nothingHere));
  const logAccess = createAccessLog(app.log);
  app.addHook("onResponse", (request, reply, done) => {
    const { url, config } = request.routeOptions;
    logAccess(request, reply, config);
    if (options.metrics !== undefined) countResponse(options.metrics, request.method, url, reply);
    done();
  });
  await app.register(rateLimit, { global: false });
  const limits = createLimits(app, options.ratePerMinute, (kind) =>
    options.metrics?.authenticationFailed(kind),
  );
  const authenticate = createRouteAuthentication(services, limits);
  const notFound = createNotFound(app);
  // One hook, before the body is read, because every hook costs each of thousands of calls.
  app.addHook("onRequest", async (request, reply) => {
    // Read once, because Fastify builds the options anew at each access.
    const access = request.routeOptions.config;
    setCommonHeaders(request, reply, access);
    await authenticate(request, access);
    if (request.is404) notFound(request, reply);
  });
  addDocumentation(app, options.publicUrl);
  if (options.metrics !== undefined) addMetrics(app, options.metrics);
  addHealthRoutes(app, options.readiness);
  addCheckRoutes(app, services, limits);
  await app.register(
    async (scope) => addApi(scope.withTypeProvider<ZodTypeProvider>(), services, limits, stopping.signal),
    {
      prefix: "/api/v1",
    },
  );
  for (const mount of options.mounts ?? []) await app.register(mount);
  await app.ready();
  return app;
}

function bareServer({ trustedProxies, loggerInstance }: HttpOptions): App {
  const app: App = fastify({
    ...(loggerInstance !== undefined && { loggerInstance: sharedLogger(loggerInstance) }),
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestIdOf,
    schemaController: noJsonSchemaCompilers,
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
    bodyLimit: bodyBytesMax,
    requestTimeout: requestTimeoutMs,
    // setCommonHeaders refuses a missing Host with a problem document.
    http: {
      headersTimeout: headersTimeoutMs,
      connectionsCheckingInterval: timeoutCheckMs,
      requireHostHeader: false,
    },
    routerOptions: { maxParamLength: pathPartLengthMax },
    return503OnClosing: false,
    rewriteUrl: (request) => withoutPathBelowCheck(request.url ?? "/"),
    frameworkErrors: (error, request, reply) => {
      reply.header("x-request-id", request.id);
      void sendError(error, request, reply);
    },
    clientErrorHandler: handleClientError,
  }).withTypeProvider<ZodTypeProvider>();
  app.server.on("connect", (_, socket) => handleConnect(socket));
  // Unknown expectations are ignored, as RFC 9110 allows. Node would refuse them with an empty response.
  app.server.on("checkExpectation", (request, response) => app.server.emit("request", request, response));
  return app;
}

/** The caller's request id when it is safe to log, else a new one. */
function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers["x-request-id"];
  return typeof given === "string" && /^[A-Za-z0-9-]{1,64}$/.test(given) ? given : randomUUID();
}

/** Sets the headers of every response. @throws RefusalError `malformed` for HTTP/1.1 without a Host */
function setCommonHeaders(
  request: FastifyRequest,
  reply: FastifyReply,
  { withoutBrowserHeaders }: RouteAccess,
): void {
  reply.header("x-request-id", request.id);
  if (withoutBrowserHeaders !== true) reply.headers(browserHeaders);
  if (request.url.startsWith("/api/")) reply.header("cache-control", "no-store");
  if (request.headers.host === undefined && request.raw.httpVersion === "1.1") {
    throw new RefusalError(malformed("HTTP/1.1 requires a Host header."));
  }
}

async function addApi(app: App, services: Services, limits: Limits, stopping: AbortSignal): Promise<void> {
  app.addHook("onRoute", assertRouteAccess);
  await app.register(async (scope) =>
    addFormRoutes(scope.withTypeProvider<ZodTypeProvider>(), services, limits),
  );
  await app.register(async (scope) => {
    const json = scope.withTypeProvider<ZodTypeProvider>();
    readJsonBodies(json);
    // Before idempotency, so that nothing with a token in it is stored.
    refuseTokens(json, services);
    addIdempotency(json, services);
    json.addHook("preHandler", createWriteRecheck(services));
    json.addHook("preSerialization", createReadRecheck(services));
    addRequestRoutes(json, services, stopping);
    addVerbRoutes(json, services, limits);
    addPolicyRoutes(json, services);
    addLockdownRoutes(json, services);
    addEvaluationRoute(json, services);
    addIdentityRoutes(json, services);
    addApiKeyRoutes(json, services);
    addActiveAccessRoutes(json, services);
    addConnectorRoutes(json, services);
    addAuditRoutes(json, services);
    addAuditExport(json, services);
  });
}

/** Fails the start when a route sets no access rule, because it would be open to everybody. */
function assertRouteAccess({ url, config }: RouteOptions): void {
  if (config?.roles === undefined && config?.isPublic !== true) {
    throw new Error(`route ${url} sets neither roles nor isPublic`);
  }
}

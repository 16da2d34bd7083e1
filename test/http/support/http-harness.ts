import { METHODS } from "node:http";
import type { InjectOptions } from "fastify";
import { pino } from "pino";
import { assertPresent } from "../../../src/core/values/assert.ts";
import type { Role } from "../../../src/core/values/identity.ts";
import { isRefusal } from "../../../src/core/values/refusals.ts";
import type { App } from "../../../src/http/middleware/route-access.ts";
import { createHttpServer, type HttpOptions } from "../../../src/http/server.ts";
import { createMetrics } from "../../../src/app/observability/metrics.ts";
import { createBootstrapService } from "../../../src/service/people/bootstrap-service.ts";
import type { Services } from "../../../src/service/services.ts";
import { approvalPolicy, autoPolicy, denyPolicy, stageBy } from "../../core/support/policies.ts";
import { openServiceHarness, type ServiceHarness } from "../../service/support/service-harness.ts";

/** One call: `body` is sent as JSON, `form` as a form, `payload` unchanged. */
export interface Call {
  readonly key?: string;
  readonly body?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly payload?: string | Buffer;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly from?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The JSON, or an empty object. */
  readonly body: Json;
}

// Responses are read field by field; a missing field is undefined and fails the expectation.
export type Json = Readonly<Record<string, unknown>>;

/** The complete service with its HTTP server, a real database and a settable clock. */
export interface HttpHarness {
  readonly harness: ServiceHarness;
  readonly app: App;
  /** Every log line, before secrets are redacted. */
  readonly log: string[];
  /** The built-in key. */
  readonly admin: string;
  call(method: string, url: string, call?: Call): Promise<Answer>;
  /** A key of `id_<name>` with these roles, the same one each time. */
  keyOf(name: string, ...roles: readonly Role[]): Promise<string>;
  /** dev submits a request; returns its id. */
  ask(more?: Readonly<Record<string, unknown>>): Promise<string>;
  /** dev submits and ann approves; returns the id. */
  approved(more?: Readonly<Record<string, unknown>>): Promise<string>;
  /** dev submits, ann approves, dev claims. */
  claimed(more?: Readonly<Record<string, unknown>>): Promise<{ readonly id: string; readonly token: string }>;
  close(): Promise<void>;
}

/** A request of dev that one of group:dba approves. */
export const prodAsk = {
  identityId: "id_dev",
  reason: "an incident",
  scopes: ["read:prod:orders-db"],
  duration: "4h",
} as const;
/** A request of dev that is auto-approved. */
export const devAsk = { ...prodAsk, scopes: ["read:dev:a"], duration: "1h" } as const;

export const api = "/api/v1";
export const jit = `${api}/credentials/jit`;

export interface HttpHarnessOptions extends Partial<HttpOptions> {
  /** Wraps the services before the server gets them. */
  readonly changed?: (services: Services) => Services;
  /** Absent: a new one. It is closed with the harness. */
  readonly harness?: ServiceHarness;
}

export async function openHttpHarness(harnessOptions: HttpHarnessOptions = {}): Promise<HttpHarness> {
  const { changed = same, harness: given, ...options } = harnessOptions;
  const metrics = createMetrics();
  const harness = given ?? (await openServiceHarness({ listeners: [metrics.onCommit] }));
  await harness.configure(httpPolicies, httpRules);
  const log: string[] = [];
  metrics.observe({
    store: harness.store,
    now: harness.clock.now,
    lastSweepAt: () => null,
    configuration: () => ({ loadedAt: harness.clock.now() }),
    clockBehindMs: () => 0,
    isReserveMissing: () => false,
    connectors: async () => [],
    auditHead: () => "matches",
    isLockedDown: async () => (await harness.context.rulebook()).book.lockdown,
  });
  const app = await createHttpServer(changed(harness.services), {
    metrics,
    trustedProxies: [],
    ratePerMinute: 100_000,
    readiness: async () => ({ database: { ok: true } }),
    loggerInstance: pino({ level: "debug" }, { write: (line) => void log.push(line) }),
    ...options,
  });
  const key = await createBootstrapService(harness.context).ensureAdminKey(undefined, undefined);
  if (isRefusal(key) || key.kind !== "made") throw new Error("a new database has a new key");
  const admin = key.token;

  const call: HttpHarness["call"] = (method, url, one = {}) => callApp(app, method, url, one);
  const keyOf = keyRing(admin, call);
  const must = async (name: string, url: string, body?: unknown): Promise<Answer> => {
    const answer = await call("POST", url, { key: await keyOf(name), ...(body !== undefined && { body }) });
    if (answer.status >= 300) throw new Error(`${url}: ${answer.text}`);
    return answer;
  };
  const ask: HttpHarness["ask"] = async (more) => {
    const answer = await must("dev", jit, { ...prodAsk, ...more });
    return String(answer.body["id"]);
  };
  const approved: HttpHarness["approved"] = async (more) => {
    const id = await ask(more);
    await must("ann", `${jit}/${id}/approve`);
    return id;
  };
  return {
    harness,
    app,
    log,
    admin,
    call,
    keyOf,
    ask,
    approved,
    async claimed(more) {
      const id = await approved(more);
      return { id, token: tokenIn(await must("dev", `${jit}/${id}/claim`)) };
    },
    async close() {
      await app.close();
      await harness.close();
    },
  };
}

const isMethod = (text: string): text is NonNullable<InjectOptions["method"]> => METHODS.includes(text);

/** The token in a response. */
export function tokenIn({ body, text }: Answer): string {
  const { credential } = body;
  const shown = typeof credential === "object" && credential !== null && "token" in credential;
  if (!shown || typeof credential.token !== "string") throw new Error(`no token in ${text}`);
  return credential.token;
}

function keyRing(admin: string, call: HttpHarness["call"]): HttpHarness["keyOf"] {
  const keys = new Map<string, string>();
  return async (name, ...roles) => {
    const known = keys.get(`${name} ${roles.join(" ")}`);
    if (known !== undefined) return known;
    const made = await call("POST", `${api}/api-keys`, {
      key: admin,
      body: { identityId: `id_${name}`, roles: roles.length === 0 ? ["requester", "approver"] : roles },
    });
    const token = String(assertPresent(made.body["token"], made.text));
    keys.set(`${name} ${roles.join(" ")}`, token);
    return token;
  };
}

export async function callApp(app: App, method: string, url: string, one: Call): Promise<Answer> {
  const { key, body, form, payload, headers, from } = one;
  const content =
    body !== undefined
      ? { payload: JSON.stringify(body), type: "application/json" }
      : form !== undefined
        ? { payload: new URLSearchParams(form).toString(), type: "application/x-www-form-urlencoded" }
        : undefined;
  if (!isMethod(method)) throw new Error("this is no method");
  const sent = content?.payload ?? payload;
  const answer = await app.inject({
    method,
    url,
    ...(sent !== undefined && { payload: sent }),
    headers: {
      ...(content !== undefined && { "content-type": content.type }),
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...headers,
    },
    ...(from !== undefined && { remoteAddress: from }),
  });
  const text = answer.payload;
  const isJson = /json;|json$/.test(answer.headers["content-type"] ?? "") && text !== "";
  return {
    status: answer.statusCode,
    headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])),
    text,
    body: isJson ? JSON.parse(text) : {},
  };
}

/** Lists and records in a response. */
export const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? value : []);

export const entries = (value: unknown): readonly (readonly [string, Json])[] =>
  typeof value === "object" && value !== null ? Object.entries(value) : [];

const same = (services: Services): Services => services;

export const httpPolicies = [
  autoPolicy("dev", { conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "dev:" }] }),
  denyPolicy("secret", { conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "secret:" }] }),
  approvalPolicy(
    "prod",
    { stages: [stageBy("group:dba")] },
    { conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "prod:" }] },
  ),
  approvalPolicy(
    "paperwork",
    { stages: [stageBy("group:dba", { required: 2 })] },
    { conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "paper:" }], requireTicket: true },
  ),
  approvalPolicy(
    "lonely",
    { stages: [stageBy("group:nobody")] },
    { conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "lonely:" }] },
  ),
  approvalPolicy(
    "chat",
    { stages: [stageBy("group:dba", { via: ["slack"] })] },
    { conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "chat:" }] },
  ),
  approvalPolicy(
    "two-steps",
    { stages: [stageBy("group:dba"), stageBy("group:security")] },
    { conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "steps:" }] },
  ),
  autoPolicy("once", {
    conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "once:" }],
    maxUsage: 1,
  }),
].map((policy) => ({ ...policy, managedBy: "file" as const }));

export const httpRules = {
  breakGlass: {
    allowed: [{ kind: "group", group: "oncall" }],
    conditions: [],
    maxDurationMs: 3_600_000,
    limit: { max: 2, perMs: 604_800_000 },
    review: {
      by: [{ kind: "group", group: "security" }],
      dueMs: 86_400_000,
      overdue: "refuse",
      lockoutMs: 2_592_000_000,
    },
    notify: [],
  },
} as const;

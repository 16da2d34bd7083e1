import { present } from "../../../src/core/assert.ts";
import type { Role } from "../../../src/core/people.ts";
import { isRefusal } from "../../../src/core/refusals.ts";
import type { App } from "../../../src/http/door.ts";
import { createHttpServer, type HttpOptions } from "../../../src/http/server.ts";
import { createLogger } from "../../../src/runtime/logger.ts";
import { createInstallationService } from "../../../src/service/installation-service.ts";
import type { Services } from "../../../src/service/services.ts";
import { approvalPolicy, autoPolicy, denyPolicy, stageBy } from "../../core/support/policies.ts";
import { openOffice, type Office } from "../../service/support/office.ts";

/** One call as a client makes it: `body` goes as JSON, `form` as a form, `payload` as it is. */
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

// Answers are looked into field by field; what is not there is undefined and fails the expectation.
export type Json = Readonly<Record<string, unknown>>;

/** The whole service behind its HTTP door, over a real database, with a clock that stands still. */
export interface HttpHouse {
  readonly office: Office;
  readonly app: App;
  /** Every line logged, as a log collector would see it before any cleaning. */
  readonly log: string[];
  /** The built-in key. */
  readonly admin: string;
  call(method: string, url: string, call?: Call): Promise<Answer>;
  /** A key of `id_<name>` with these roles, the same one each time. */
  keyOf(name: string, ...roles: readonly Role[]): Promise<string>;
  close(): Promise<void>;
}

export const api = "/api/v1";
export const jit = `${api}/credentials/jit`;

export interface HouseOptions extends Partial<HttpOptions> {
  /** Stands between the server and the services. */
  readonly changed?: (services: Services) => Services;
}

export async function openHouse({ changed = same, ...options }: HouseOptions = {}): Promise<HttpHouse> {
  const office = await openOffice();
  await office.configure(housePolicies, houseRules);
  const log: string[] = [];
  const app = await createHttpServer(changed(office.services), {
    trustedProxies: [],
    ratePerMinute: 100_000,
    readiness: async () => ({ database: { ok: true } }),
    loggerInstance: createLogger("debug", (line) => log.push(line)),
    ...options,
  });
  const key = await createInstallationService(office.context).ensureAdminKey(undefined, undefined);
  if (isRefusal(key) || key.kind !== "made") throw new Error("a new house has a new key");
  const admin = key.token;

  const call: HttpHouse["call"] = (method, url, one = {}) => callApp(app, method, url, one);
  const keys = new Map<string, string>();
  return {
    office,
    app,
    log,
    admin,
    call,
    async keyOf(name, ...roles) {
      const known = keys.get(`${name} ${roles.join(" ")}`);
      if (known !== undefined) return known;
      const made = await call("POST", `${api}/api-keys`, {
        key: admin,
        body: { identityId: `id_${name}`, roles: roles.length === 0 ? ["requester", "approver"] : roles },
      });
      const token = String(present(made.body["token"], made.text));
      keys.set(`${name} ${roles.join(" ")}`, token);
      return token;
    },
    async close() {
      await app.close();
      await office.close();
    },
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
  const answer = await Reflect.apply(app.inject, app, [
    {
      method,
      url,
      payload: content?.payload ?? payload,
      headers: {
        ...(content !== undefined && { "content-type": content.type }),
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...headers,
      },
      ...(from !== undefined && { remoteAddress: from }),
    },
  ]);
  const text = answer.payload;
  const isJson = /json/.test(String(answer.headers["content-type"] ?? "")) && text !== "";
  return {
    status: answer.statusCode,
    headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])),
    text,
    body: isJson ? JSON.parse(text) : {},
  };
}

/** Lists and records inside an answer. */
export const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? value : []);

const same = (services: Services): Services => services;

const housePolicies = [
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

const houseRules = {
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

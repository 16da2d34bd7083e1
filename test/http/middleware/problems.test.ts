import { describe, expect, test } from "vitest";
import { refusalStatus, type RefusalCode } from "../../../src/core/values/refusals.ts";
import { dayMs, hourMs } from "../../../src/core/values/time.ts";
import { createAuditHeadWatch, type LastHeadStore } from "../../../src/service/guards/audit-head-watch.ts";
import { clockHold } from "../../../src/app/process/clock-hold.ts";
import { StoreUnavailable } from "../../../src/service/ports/store.ts";
import { openTargetHarness } from "../../service/support/target-harness.ts";
import {
  api,
  jit,
  openHttpHarness,
  prodAsk,
  type Answer,
  type HttpHarnessOptions,
  type HttpHarness,
} from "../support/http-harness.ts";

interface Row {
  readonly by: (harness: HttpHarness) => Promise<Answer>;
  readonly options?: HttpHarnessOptions;
}

/** Submits a request as `name`, by default dev. */
const ask = async (harness: HttpHarness, more: object, name = "dev"): Promise<Answer> =>
  harness.call("POST", jit, {
    key: await harness.keyOf(name),
    body: { ...prodAsk, identityId: `id_${name}`, ...more },
  });

const act = async (
  harness: HttpHarness,
  name: string,
  verb: string,
  id: string,
  body?: object,
): Promise<Answer> =>
  harness.call("POST", `${jit}/${id}/${verb}`, { key: await harness.keyOf(name), ...(body && { body }) });

const twice = async (call: () => Promise<Answer>): Promise<Answer> => {
  await call();
  return call();
};

const breakGlass = async (harness: HttpHarness, name = "dev"): Promise<Answer> =>
  ask(harness, { breakGlass: true, duration: "30m" }, name);

const policy = {
  name: "mine",
  autoApprove: true,
  conditions: [{ type: "ACTION", operator: "EQUALS", value: "read" }],
};

/** How each code is produced over HTTP. */
const rows: Partial<Record<RefusalCode, Row>> = {
  malformed: {
    by: async (harness) =>
      harness.call("POST", jit, {
        key: await harness.keyOf("dev"),
        payload: "{",
        headers: { "content-type": "application/json" },
      }),
  },
  unauthenticated: { by: (harness) => harness.call("GET", jit) },
  missing_role: {
    by: async (harness) =>
      harness.call("POST", `${api}/policies`, { key: await harness.keyOf("dev"), body: policy }),
  },
  not_self: { by: (harness) => ask(harness, { identityId: "id_ann" }) },
  not_requester: { by: async (harness) => act(harness, "ann", "claim", await harness.approved()) },
  not_an_approver: { by: async (harness) => act(harness, "sec", "approve", await harness.ask()) },
  not_a_reviewer: {
    by: async (harness) => {
      const { body } = await breakGlass(harness);
      return act(harness, "ann", "review", String(body["id"]), { outcome: "justified", comment: "fine" });
    },
  },
  self_approval: { by: async (harness) => act(harness, "dev", "approve", await harness.ask()) },
  identity_inactive: {
    by: async (harness) => {
      const key = await harness.keyOf("bob");
      await harness.call("PATCH", `${api}/identities/id_bob`, {
        key: harness.admin,
        body: { active: false },
      });
      return harness.call("GET", jit, { key });
    },
  },
  policy_denied: { by: (harness) => ask(harness, { scopes: ["read:secret:x"] }) },
  break_glass_not_allowed: { by: (harness) => breakGlass(harness, "ann") },
  break_glass_limit: {
    by: async (harness) => {
      await twice(() => breakGlass(harness));
      return breakGlass(harness);
    },
  },
  break_glass_review_due: {
    by: async (harness) => {
      await breakGlass(harness);
      harness.harness.clock.pass(2 * dayMs);
      return breakGlass(harness);
    },
  },
  not_found: {
    by: async (harness) => harness.call("GET", `${jit}/jit_none`, { key: await harness.keyOf("dev") }),
  },
  method_not_allowed: { by: (harness) => harness.call("PATCH", jit) },
  duplicate_request: { by: (harness) => twice(() => ask(harness, {})) },
  already_decided: {
    by: async (harness) => {
      const id = await harness.ask();
      await act(harness, "ann", "deny", id, { reason: "no" });
      return act(harness, "bob", "approve", id);
    },
  },
  already_voted: {
    by: async (harness) => {
      const id = await harness.ask({ scopes: ["read:paper:a"], ticket: "OPS-1" });
      return twice(() => act(harness, "ann", "approve", id));
    },
  },
  already_claimed: {
    by: async (harness) => {
      const { id } = await harness.claimed();
      return act(harness, "dev", "claim", id);
    },
  },
  already_abandoned: {
    by: async () => {
      const service = await openTargetHarness();
      const harness = await openHttpHarness({ harness: service });
      const { object } = await service.holding();
      const body = { object, reason: "The server is gone" };
      const call = () =>
        harness.call("POST", `${api}/connectors/orders-db/abandon`, { key: harness.admin, body });
      const answer = await twice(call);
      await harness.close();
      return answer;
    },
  },
  stage_not_open: {
    by: async (harness) => act(harness, "sec", "approve", await harness.ask({ scopes: ["read:steps:a"] })),
  },
  request_changed: {
    by: async (harness) => act(harness, "ann", "approve", await harness.ask(), { revision: "an older one" }),
  },
  approval_window_passed: {
    by: async (harness) => {
      const id = await harness.ask();
      harness.harness.clock.pass(2 * dayMs);
      return act(harness, "ann", "approve", id);
    },
  },
  not_claimable: { by: async (harness) => act(harness, "dev", "claim", await harness.ask()) },
  not_active: { by: async (harness) => act(harness, "dev", "rotate", await harness.ask()) },
  name_taken: {
    by: (harness) =>
      twice(() => harness.call("POST", `${api}/policies`, { key: harness.admin, body: policy })),
  },
  managed_by_file: {
    by: (harness) => harness.call("PUT", `${api}/policies/pol_prod`, { key: harness.admin, body: policy }),
  },
  too_large: { by: (harness) => ask(harness, { reason: "x".repeat(70_000) }) },
  unsupported_type: {
    by: async (harness) =>
      harness.call("POST", jit, {
        key: await harness.keyOf("dev"),
        payload: "<ask/>",
        headers: { "content-type": "application/xml" },
      }),
  },
  invalid_body: { by: (harness) => ask(harness, { colour: "red" }) },
  invalid_scope: { by: (harness) => ask(harness, { scopes: ["everything"] }) },
  invalid_duration: { by: (harness) => ask(harness, { duration: "1,5h" }) },
  duration_exceeds_policy: { by: (harness) => ask(harness, { duration: "9h" }) },
  identity_unknown: {
    by: (harness) =>
      harness.call("POST", jit, { key: harness.admin, body: { ...prodAsk, identityId: "id_nobody" } }),
  },
  no_approvers: { by: (harness) => ask(harness, { scopes: ["read:lonely:a"] }) },
  too_costly: {
    by: async (harness) =>
      harness.call("POST", `${api}/policies`, {
        key: harness.admin,
        body: {
          name: "costly",
          deny: true,
          conditions: [{ type: "REASON", operator: "MATCHES", value: "(a?){900}a{90}Z" }],
        },
      }),
  },
  ticket_required: { by: (harness) => ask(harness, { scopes: ["read:paper:a"] }) },
  rate_limited: {
    by: async (harness) => {
      await twice(() => harness.call("GET", jit));
      return harness.call("GET", jit);
    },
    options: { ratePerMinute: 2 },
  },
  limit_reached: { by: (harness) => twice(() => ask(harness, { scopes: ["read:once:a"] })) },
  clock_behind: {
    by: (harness) => {
      harness.harness.hold(clockHold({ behindMs: () => hourMs, isBehindSinceStart: () => true })());
      return ask(harness, {});
    },
  },
  audit_head_differs: {
    by: (harness) => {
      const kept: LastHeadStore = { read: () => "unreadable", write: async () => {} };
      harness.harness.hold(createAuditHeadWatch(harness.harness.store, kept, () => {}).hold());
      return ask(harness, {});
    },
  },
  store_unavailable: {
    by: async (harness) => harness.call("GET", jit, { key: await harness.keyOf("dev") }),
    options: {
      changed: (services) => ({
        ...services,
        requestQueries: {
          ...services.requestQueries,
          list: async () => {
            throw new StoreUnavailable("the database said SQLITE_FULL at /var/lib/jit.db");
          },
        },
      }),
    },
  },
};

/** Codes that HTTP never sends: those of chat, and those of features that do not exist yet. */
const elsewhere: readonly string[] = ["identity_not_linked", "idempotency_running", "idempotency_mismatch"];

test("every code has a test here, or a reason why it has none", () => {
  const missing = Object.keys(refusalStatus).filter((code) => !(code in rows) && !elsewhere.includes(code));
  expect(missing).toEqual([]);
});

describe.each(Object.entries(rows))("%s", (code, { by, options }) => {
  test("is a problem document with its status, its code and a sentence", async () => {
    const harness = await openHttpHarness(options);
    try {
      const { status, headers, body, text } = await by(harness);
      expect(body).toMatchObject({
        code,
        type: `urn:jit-access:problem:${code}`,
        status: Object.entries(refusalStatus).find(([one]) => one === code)?.[1],
      });
      expect(status).toBe(body["status"]);
      expect(headers["content-type"]).toBe("application/problem+json");
      expect(headers["x-request-id"]).toMatch(/^[A-Za-z0-9-]{1,64}$/);
      expect(headers["cache-control"]).toBe("no-store");
      expect(String(body["title"])).toMatch(/^[A-Z][a-z ]+$/);
      expect(String(body["detail"])).toMatch(/^\S.*\.$/);
      expect(text).not.toMatch(/node_modules|\.ts:\d|\n\s+at |SQLITE/);
      if (status === 401) expect(headers["www-authenticate"]).toBe("Bearer");
      if (status === 429 || status === 503) expect(Number(headers["retry-after"])).toBeGreaterThan(0);
      if (status === 405) expect(headers["allow"]).toBe("GET, HEAD, POST");
      if (code === "invalid_body")
        expect(body["errors"]).toEqual([{ path: "colour", message: "is an unknown field" }]);
      if (code === "duplicate_request") expect(body["existing"]).toMatch(/^jit_/);
    } finally {
      await harness.close();
    }
  });
});

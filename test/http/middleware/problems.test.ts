import { describe, expect, test } from "vitest";
import { refusalStatus, type RefusalCode } from "../../../src/core/values/refusals.ts";
import { dayMs, hourMs } from "../../../src/core/values/time.ts";
import { createAuditHeadWatch, type LastHeadStore } from "../../../src/service/guards/audit-head-watch.ts";
import { clockHold } from "../../../src/app/process/clock-hold.ts";
import { StoreUnavailable } from "../../../src/service/ports/store.ts";
import { openTargetOffice } from "../../service/support/target-harness.ts";
import {
  api,
  jit,
  openHouse,
  prodAsk,
  type Answer,
  type HouseOptions,
  type HttpHouse,
} from "../support/http-harness.ts";

interface Row {
  readonly by: (house: HttpHouse) => Promise<Answer>;
  readonly options?: HouseOptions;
}

/** Asks as `name`, which is dev when left out. */
const ask = async (house: HttpHouse, more: object, name = "dev"): Promise<Answer> =>
  house.call("POST", jit, {
    key: await house.keyOf(name),
    body: { ...prodAsk, identityId: `id_${name}`, ...more },
  });

const act = async (
  house: HttpHouse,
  name: string,
  verb: string,
  id: string,
  body?: object,
): Promise<Answer> =>
  house.call("POST", `${jit}/${id}/${verb}`, { key: await house.keyOf(name), ...(body && { body }) });

const twice = async (call: () => Promise<Answer>): Promise<Answer> => {
  await call();
  return call();
};

const breakGlass = async (house: HttpHouse, name = "dev"): Promise<Answer> =>
  ask(house, { breakGlass: true, duration: "30m" }, name);

const policy = {
  name: "mine",
  autoApprove: true,
  conditions: [{ type: "ACTION", operator: "EQUALS", value: "read" }],
};

/** How each code is come by over HTTP. */
const rows: Partial<Record<RefusalCode, Row>> = {
  malformed: {
    by: async (house) =>
      house.call("POST", jit, {
        key: await house.keyOf("dev"),
        payload: "{",
        headers: { "content-type": "application/json" },
      }),
  },
  unauthenticated: { by: (house) => house.call("GET", jit) },
  missing_role: {
    by: async (house) =>
      house.call("POST", `${api}/policies`, { key: await house.keyOf("dev"), body: policy }),
  },
  not_self: { by: (house) => ask(house, { identityId: "id_ann" }) },
  not_requester: { by: async (house) => act(house, "ann", "claim", await house.approved()) },
  not_an_approver: { by: async (house) => act(house, "sec", "approve", await house.ask()) },
  not_a_reviewer: {
    by: async (house) => {
      const { body } = await breakGlass(house);
      return act(house, "ann", "review", String(body["id"]), { outcome: "justified", comment: "fine" });
    },
  },
  self_approval: { by: async (house) => act(house, "dev", "approve", await house.ask()) },
  identity_inactive: {
    by: async (house) => {
      const key = await house.keyOf("bob");
      await house.call("PATCH", `${api}/identities/id_bob`, { key: house.admin, body: { active: false } });
      return house.call("GET", jit, { key });
    },
  },
  policy_denied: { by: (house) => ask(house, { scopes: ["read:secret:x"] }) },
  break_glass_not_allowed: { by: (house) => breakGlass(house, "ann") },
  break_glass_limit: {
    by: async (house) => {
      await twice(() => breakGlass(house));
      return breakGlass(house);
    },
  },
  break_glass_review_due: {
    by: async (house) => {
      await breakGlass(house);
      house.office.clock.pass(2 * dayMs);
      return breakGlass(house);
    },
  },
  not_found: { by: async (house) => house.call("GET", `${jit}/jit_none`, { key: await house.keyOf("dev") }) },
  method_not_allowed: { by: (house) => house.call("PATCH", jit) },
  duplicate_request: { by: (house) => twice(() => ask(house, {})) },
  already_decided: {
    by: async (house) => {
      const id = await house.ask();
      await act(house, "ann", "deny", id, { reason: "no" });
      return act(house, "bob", "approve", id);
    },
  },
  already_voted: {
    by: async (house) => {
      const id = await house.ask({ scopes: ["read:paper:a"], ticket: "OPS-1" });
      return twice(() => act(house, "ann", "approve", id));
    },
  },
  already_claimed: {
    by: async (house) => {
      const { id } = await house.claimed();
      return act(house, "dev", "claim", id);
    },
  },
  already_abandoned: {
    by: async () => {
      const office = await openTargetOffice();
      const house = await openHouse({ office });
      const { object } = await office.holding();
      const body = { object, reason: "The server is gone" };
      const call = () =>
        house.call("POST", `${api}/connectors/orders-db/abandon`, { key: house.admin, body });
      const answer = await twice(call);
      await house.close();
      return answer;
    },
  },
  stage_not_open: {
    by: async (house) => act(house, "sec", "approve", await house.ask({ scopes: ["read:steps:a"] })),
  },
  request_changed: {
    by: async (house) => act(house, "ann", "approve", await house.ask(), { revision: "an older one" }),
  },
  approval_window_passed: {
    by: async (house) => {
      const id = await house.ask();
      house.office.clock.pass(2 * dayMs);
      return act(house, "ann", "approve", id);
    },
  },
  not_claimable: { by: async (house) => act(house, "dev", "claim", await house.ask()) },
  not_active: { by: async (house) => act(house, "dev", "rotate", await house.ask()) },
  name_taken: {
    by: (house) => twice(() => house.call("POST", `${api}/policies`, { key: house.admin, body: policy })),
  },
  managed_by_file: {
    by: (house) => house.call("PUT", `${api}/policies/pol_prod`, { key: house.admin, body: policy }),
  },
  too_large: { by: (house) => ask(house, { reason: "x".repeat(70_000) }) },
  unsupported_type: {
    by: async (house) =>
      house.call("POST", jit, {
        key: await house.keyOf("dev"),
        payload: "<ask/>",
        headers: { "content-type": "application/xml" },
      }),
  },
  invalid_body: { by: (house) => ask(house, { colour: "red" }) },
  invalid_scope: { by: (house) => ask(house, { scopes: ["everything"] }) },
  invalid_duration: { by: (house) => ask(house, { duration: "1,5h" }) },
  duration_exceeds_policy: { by: (house) => ask(house, { duration: "9h" }) },
  identity_unknown: {
    by: (house) =>
      house.call("POST", jit, { key: house.admin, body: { ...prodAsk, identityId: "id_nobody" } }),
  },
  no_approvers: { by: (house) => ask(house, { scopes: ["read:lonely:a"] }) },
  too_costly: {
    by: async (house) =>
      house.call("POST", `${api}/policies`, {
        key: house.admin,
        body: {
          name: "costly",
          deny: true,
          conditions: [{ type: "REASON", operator: "MATCHES", value: "(a?){900}a{90}Z" }],
        },
      }),
  },
  ticket_required: { by: (house) => ask(house, { scopes: ["read:paper:a"] }) },
  rate_limited: {
    by: async (house) => {
      await twice(() => house.call("GET", jit));
      return house.call("GET", jit);
    },
    options: { ratePerMinute: 2 },
  },
  limit_reached: { by: (house) => twice(() => ask(house, { scopes: ["read:once:a"] })) },
  clock_behind: {
    by: (house) => {
      house.office.hold(clockHold({ behindMs: () => hourMs, isBehindSinceStart: () => true })());
      return ask(house, {});
    },
  },
  audit_head_differs: {
    by: (house) => {
      const kept: LastHeadStore = { read: () => "unreadable", write: async () => {} };
      house.office.hold(createAuditHeadWatch(house.office.store, kept, () => {}).hold());
      return ask(house, {});
    },
  },
  store_unavailable: {
    by: async (house) => house.call("GET", jit, { key: await house.keyOf("dev") }),
    options: {
      changed: (services) => ({
        ...services,
        reading: {
          ...services.reading,
          list: async () => {
            throw new StoreUnavailable("the database said SQLITE_FULL at /var/lib/jit.db");
          },
        },
      }),
    },
  },
};

/** Codes this surface cannot say: chat's own, and of the part of the contract that is not built yet. */
const elsewhere: readonly string[] = ["identity_not_linked", "idempotency_running", "idempotency_mismatch"];

test("every code has a way here, or a reason why it has none", () => {
  const missing = Object.keys(refusalStatus).filter((code) => !(code in rows) && !elsewhere.includes(code));
  expect(missing).toEqual([]);
});

describe.each(Object.entries(rows))("%s", (code, { by, options }) => {
  test("is a problem document with its status, its code and a sentence", async () => {
    const house = await openHouse(options);
    try {
      const { status, headers, body, text } = await by(house);
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
        expect(body["errors"]).toEqual([{ path: "colour", message: "is not known here" }]);
      if (code === "duplicate_request") expect(body["existing"]).toMatch(/^jit_/);
    } finally {
      await house.close();
    }
  });
});

test("what is our own fault is a 500 that says nothing but where to look", async () => {
  const house = await openHouse({
    changed: (services) => ({
      ...services,
      reading: {
        ...services.reading,
        list: async () => {
          throw new TypeError("password hunter2 at secret.ts:12");
        },
      },
    }),
  });
  const { status, body, text, headers } = await house.call("GET", jit, {
    key: await house.keyOf("dev"),
    headers: { "x-request-id": "my-call-1" },
  });
  await house.close();
  expect(status).toBe(500);
  expect(body["code"]).toBe("internal");
  expect(text).not.toContain("hunter2");
  expect(headers["x-request-id"]).toBe("my-call-1");
  expect(house.log.some((line) => line.includes("hunter2") && line.includes("my-call-1"))).toBe(true);
});

test("the line about an answer names its call, each its own", async () => {
  const house = await openHouse();
  const key = await house.keyOf("dev");
  house.log.length = 0;
  const ids = ["first", "second"];
  await Promise.all(ids.map((one) => house.call("GET", jit, { key, headers: { "x-request-id": one } })));
  await house.close();
  const lines = house.log.map((line): unknown => JSON.parse(line));
  for (const one of ids) {
    expect(lines.filter((line) => isOf(line, one))).toMatchObject([{ msg: "answered", status: 200 }]);
  }
});

function isOf(line: unknown, id: string): boolean {
  return typeof line === "object" && line !== null && "requestId" in line && line.requestId === id;
}

test("a request id that could forge a log line is replaced", async () => {
  const house = await openHouse();
  const { headers } = await house.call("GET", "/healthz", {
    headers: { "x-request-id": 'a" , "level": 60' },
  });
  await house.close();
  expect(headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
});

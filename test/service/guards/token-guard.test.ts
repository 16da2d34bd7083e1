import { describe, expect, test } from "vitest";
import { formatToken } from "../../../src/core/values/token-format.ts";
import { tokensIn } from "../../../src/core/values/mask-tokens.ts";
import { emptyRules } from "../../../src/core/policy/policy.ts";
import type { Step, Store, Write } from "../../../src/service/ports/store.ts";
import { guardedFromTokens } from "../../../src/service/guards/token-guard.ts";
import {
  idempotencyFixture,
  at,
  auditFixture,
  claimedFixture,
  grantFixture,
  identityFixture,
  ids,
  keyFixture,
  noon,
  noticeFixture,
  policyFixture,
  stepFixture,
} from "../../support/fixtures.ts";
import { openServiceHarness } from "../support/service-harness.ts";

const live = formatToken("live", "A".repeat(30));
const jit = formatToken("jit", "b".repeat(30));

const request = claimedFixture("r", {
  reason: "because",
  ticket: "OPS-1",
  metadata: { system: "orders" },
  votes: [
    {
      by: ids.identity("ann"),
      at: noon,
      via: "api",
      decision: "APPROVED",
      stages: [1],
      comment: "fine",
      key: { id: ids.key("k"), mintedBy: ids.identity("cto") },
    },
  ],
});

/** One of each kind: a new kind does not compile before it is here. */
const writes: { readonly [Kind in Write["kind"]]: Extract<Write, { kind: Kind }> } = {
  request: { kind: "request", value: request, dueAt: null },
  grant: { kind: "grant", value: grantFixture("g") },
  credentialFirstUsed: { kind: "credentialFirstUsed", id: ids.credential("c"), at: noon },
  identity: {
    kind: "identity",
    value: identityFixture("pat", {
      groups: ["dba"],
      links: { slack: { teamId: "T1", userId: "U1" } },
      managerId: ids.identity("lead"),
    }),
  },
  key: { kind: "key", value: keyFixture("k", { name: "deploys" }) },
  policy: {
    kind: "policy",
    value: policyFixture("p", {
      description: "what it is for",
      conditions: [
        { type: "REASON", operator: "CONTAINS", value: "x" },
        { not: { anyOf: [{ type: "GROUP", operator: "IN", value: ["dba"] }] } },
      ],
    }),
  },
  policyDeleted: { kind: "policyDeleted", id: ids.policy("p") },
  rules: {
    kind: "rules",
    value: {
      ...emptyRules,
      catalog: [{ name: "Orders", scopes: request.scopes, description: "what it opens" }],
      risk: [{ name: "production", points: 1, when: [{ type: "TICKET", operator: "EQUALS", value: "x" }] }],
    },
    source: "file",
  },
  lockdown: { kind: "lockdown", on: true },
  effectLeased: { kind: "effectLeased", id: ids.effect("e"), lease: 1, until: noon },
  effectSettled: { kind: "effectSettled", id: ids.effect("e"), lease: 1 },
  effectReleased: { kind: "effectReleased", id: ids.effect("e"), lease: 1, dueAt: noon, error: "it said no" },
  leasesEnded: { kind: "leasesEnded", at: noon },
  deliveryAdded: {
    kind: "deliveryAdded",
    value: {
      id: "copy",
      requestId: request.id,
      surface: "slack",
      address: "C1",
      audience: "approver",
      readerId: null,
      notice: null,
      state: "QUEUED",
      ref: null,
      fault: null,
      at: noon,
    },
  },
  deliveryUpdated: {
    kind: "deliveryUpdated",
    id: "copy",
    state: "FAILED",
    ref: "1.2",
    fault: "it said no",
    at: noon,
  },
  address: {
    kind: "address",
    surface: "teams",
    key: "aad-dev",
    value: { user: { name: "Dev" }, "a key": ["x"] },
  },
  addressGone: { kind: "addressGone", surface: "teams", key: "aad-dev" },
  clockMark: { kind: "clockMark", at: noon },
  clockLowered: { kind: "clockLowered", from: at(1), at: noon },
  cursor: {
    kind: "cursor",
    value: {
      name: "webhook:siem",
      seq: 1,
      attempts: 0,
      failingSince: null,
      dueAt: null,
      disabled: "it said no",
      configuration: "hash",
    },
  },
  cursorDropped: { kind: "cursorDropped", name: "webhook:siem" },
};

/** The data with `planted` behind each text in it, one at a time, and as the name of each field that has no fixed name. */
function* plantings(value: unknown, planted: string): Iterable<unknown> {
  if (typeof value === "string") yield `${value} ${planted}`;
  if (typeof value !== "object" || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (name === "kind" || name === "action") continue;
    for (const changed of plantings(inner, planted)) {
      yield Array.isArray(value) ? value.with(Number(name), changed) : { ...value, [name]: changed };
    }
  }
  if (!Array.isArray(value)) yield { ...value, [planted]: "a field that nobody has thought of" };
}

/** What a store behind the guard is given, and what is ended. */
function guarded() {
  const committed: Step[] = [];
  const ended: string[] = [];
  const store = {
    commit: async (step: Step) => {
      committed.push(step);
      return { ok: true } as const;
    },
  } as unknown as Store;
  const report = async (text: string): Promise<void> => void ended.push(text);
  const guard = guardedFromTokens(
    store,
    () => report,
    (fault) => {
      throw fault;
    },
  );
  return { guard, committed, ended };
}

async function commitPlanted(step: unknown) {
  const { guard, committed, ended } = guarded();
  const outcome = await guard.commit(step as Step);
  await Promise.resolve();
  expect(ended.join()).toContain(live);
  expect(tokensIn(committed)).toEqual([]);
  return { outcome, committed };
}

describe("no token is stored, wherever it is in a step", () => {
  test.each(Object.entries(writes))("of a write of kind %s", async (_, write) => {
    for (const planted of plantings(write, live)) {
      const { committed } = await commitPlanted(stepFixture({ writes: [planted as Write] }));
      expect(JSON.stringify(committed)).not.toContain(live);
    }
  });

  test("in audit records, effects, names and the stored answer", async () => {
    const step = stepFixture({
      audit: [auditFixture({ data: { words: "x", list: ["y"] } })],
      effects: [noticeFixture("e", request.id)],
      unique: [{ take: "policy-name:x", owner: "pol_x" }],
      idempotencyRecord: idempotencyFixture(),
    });
    let count = 0;
    for (const planted of plantings(step, live)) {
      if (tokensIn((planted as Step).expects).length > 0) continue;
      await commitPlanted(planted);
      count++;
    }
    expect(count).toBeGreaterThan(15);
  });

  test.each(["identity", "key", "policy", "rules", "cursor"] as const)(
    "a new %s with one is refused with its path, never stored masked",
    async (kind) => {
      const write = writes[kind];
      const id = "id" in write.value ? write.value.id : kind;
      for (const planted of plantings(write.value, live)) {
        const step = stepFixture({
          expects: [{ kind: "identity", id, version: 0 }],
          writes: [{ ...write, value: planted } as Write],
        });
        if (!("id" in write.value) || (planted as { id: string }).id === id) {
          const { outcome, committed } = await commitPlanted(step);
          expect(committed).toEqual([]);
          expect(outcome).toMatchObject({ conflict: "held", refusal: { refused: "invalid_body" } });
          expect(JSON.stringify(outcome)).not.toContain(live);
        }
      }
    },
  );

  test("a person whom an earlier version stored with a token can still be deactivated", async () => {
    const { guard, committed } = guarded();
    const pat = identityFixture("pat", { name: `pat ${live}`, enabled: false });
    const step = stepFixture({
      expects: [{ kind: "identity", id: pat.id, version: 3 }],
      writes: [{ kind: "identity", value: pat }],
    });
    expect(await guard.commit(step)).toEqual({ ok: true });
    expect(committed[0]?.writes).toMatchObject([
      { value: { enabled: false, name: expect.stringContaining("…") } },
    ]);
  });

  test("a step without a token is committed unchanged", async () => {
    const { guard, committed, ended } = guarded();
    const step = stepFixture({ writes: Object.values(writes) });
    await guard.commit(step);
    expect([committed[0] === step, ended]).toEqual([true, []]);
  });
});

test("a token found by the guard loses its access", async () => {
  const harness = await openServiceHarness();
  await harness.configure([]);
  const { apiKeys: keys } = harness.services;
  const made = await keys.create(await harness.caller("cto", "admin"), {
    identityId: "id_ann",
    roles: ["approver"],
    name: null,
  });
  if ("refused" in made) throw new Error(made.detail);
  await harness.store.commit(
    stepFixture({
      writes: [{ kind: "effectReleased", id: ids.effect("e"), lease: 0, dueAt: noon, error: made.token }],
    }),
  );
  await expect.poll(() => keys.authenticate(made.token)).toMatchObject({ refused: "unauthenticated" });
  await harness.close();
});

describe("a token is found however it was copied", () => {
  const zeroWidth = jit.replace("b", "b\u200b").replace("kd", "k\u2060d");
  test.each([
    ["behind a word", `x${jit}`],
    ["before one", `${jit}x`],
    ["twice in a row", `${jit}${jit}`],
    ["with invisible characters in it", zeroWidth],
    ["with its prefix in capitals", jit.replace("kd_jit_", "KD_JIT_")],
    ["with Markdown's backslashes", jit.replaceAll("_", "\\_")],
    ["as it stands in a URL", jit.replaceAll("_", "%5F")],
  ])("%s", (_, text) => {
    const [found] = tokensIn({ reason: text });
    expect(found?.path).toEqual(["reason"]);
  });
});

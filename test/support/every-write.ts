import { emptyRules } from "../../src/core/policy/policy.ts";
import type { Delivery, Step, Write } from "../../src/service/ports/store.ts";
import { everyEffect } from "./every-effect.ts";
import {
  idempotencyFixture,
  approvedFixture,
  at,
  auditFixture,
  claimedFixture,
  grantFixture,
  identityFixture,
  ids,
  keyFixture,
  noticeFixture,
  policyFixture,
  requestFixture,
  scope,
  stepFixture,
  writeStep,
} from "./fixtures.ts";

const delivery: Delivery = {
  id: "d",
  requestId: ids.request("stranded"),
  notice: "submitted",
  surface: "slack",
  address: "D0",
  audience: "approver",
  readerId: ids.identity("lead"),
  state: "QUEUED",
  ref: null,
  fault: null,
  at: at(0),
};

const over = grantFixture("over", {
  phase: "COMPLETED",
  endedAt: at(1),
  targets: [
    {
      spec: {
        connector: "db",
        object: "jit_over",
        place: "db:5432",
        grantId: ids.grant("over"),
        requestId: ids.request("over"),
        subjectId: ids.identity("dev"),
        scopes: [scope("read:prod:orders-db")],
        rights: {},
        notAfter: at(60),
      },
      state: "REVOKING",
      since: at(1),
      clearedAt: null,
      drift: [],
    },
  ],
});

const reviewed = claimedFixture("reviewed", {
  breakGlass: {
    review: { by: [], dueMs: 1, overdue: "allow", lockoutMs: 1 },
    notify: [],
    reviews: [{ by: ids.identity("lead"), at: at(2), outcome: "justified", comment: "" }],
    reviewDueAt: at(9),
    overdueAt: null,
  },
});

const change = (write: Write): Step => stepFixture({ writes: [write] });

/**
 * Steps with writes of each kind, which together give every column a value. Each entry expects what the entries above it
 * have written.
 */
export const everyWrite: { readonly [K in Write["kind"]]: readonly Step[] } = {
  identity: [
    writeStep([
      { kind: "identity", value: identityFixture("lead") },
      {
        kind: "identity",
        value: identityFixture("dev", { groups: ["dba"], managerId: ids.identity("lead") }),
      },
    ]),
  ],
  key: [writeStep([{ kind: "key", value: keyFixture("dev", { deletedAt: at(1) }) }])],
  request: [
    writeStep([
      {
        kind: "request",
        value: requestFixture("stranded", { stranded: { since: at(0), stage: 1, until: null } }),
        dueAt: at(5),
      },
      {
        kind: "request",
        value: requestFixture("extension", {
          extension: { of: ids.request("over"), grantId: ids.grant("over"), totalMs: 1 },
        }),
        dueAt: null,
      },
      { kind: "request", value: approvedFixture("denied", { phase: "DENIED", endedAt: at(1) }), dueAt: null },
    ]),
  ],
  grant: [
    writeStep([
      { kind: "request", value: claimedFixture("over"), dueAt: null },
      { kind: "grant", value: over },
      { kind: "request", value: reviewed, dueAt: null },
      { kind: "grant", value: grantFixture("reviewed", { breakGlass: true }) },
    ]),
  ],
  credentialFirstUsed: [change({ kind: "credentialFirstUsed", id: ids.credential("over"), at: at(1) })],
  policy: [
    writeStep([
      { kind: "policy", value: policyFixture("a") },
      { kind: "policy", value: policyFixture("b") },
    ]),
  ],
  policyDeleted: [writeStep([{ kind: "policyDeleted", id: ids.policy("b") }], { rulebook: 2 })],
  rules: [writeStep([{ kind: "rules", value: emptyRules, source: "file" }], { rulebook: 3 })],
  lockdown: [writeStep([{ kind: "lockdown", on: true }], { rulebook: 4 })],
  effectLeased: [
    stepFixture({
      effects: [
        noticeFixture("kept", null, { effect: everyEffect.announce }),
        noticeFixture("settled", null),
      ],
    }),
    change({ kind: "effectLeased", id: ids.effect("kept"), lease: 0, until: at(1) }),
    change({ kind: "effectLeased", id: ids.effect("settled"), lease: 0, until: at(1) }),
  ],
  effectReleased: [
    change({ kind: "effectReleased", id: ids.effect("kept"), lease: 1, dueAt: at(2), error: "no answer" }),
  ],
  effectSettled: [change({ kind: "effectSettled", id: ids.effect("settled"), lease: 1 })],
  leasesEnded: [change({ kind: "leasesEnded", at: at(1) })],
  cursor: [
    change({
      kind: "cursor",
      value: {
        name: "webhook:a",
        seq: 1,
        attempts: 0,
        failingSince: null,
        dueAt: null,
        disabled: null,
        configuration: "",
      },
    }),
  ],
  cursorDropped: [change({ kind: "cursorDropped", name: "webhook:b" })],
  deliveryAdded: [change({ kind: "deliveryAdded", value: delivery })],
  deliveryUpdated: [
    change({ kind: "deliveryUpdated", id: "d", state: "FAILED", ref: "1.2", fault: "gone", at: at(1) }),
  ],
  address: [change({ kind: "address", surface: "teams", key: "person:a", value: { conversation: "c" } })],
  addressGone: [change({ kind: "addressGone", surface: "teams", key: "person:b" })],
  clockMark: [change({ kind: "clockMark", at: at(2) })],
  clockLowered: [change({ kind: "clockLowered", from: at(2), at: at(1) })],
};

/** What a step holds beside its writes. */
export const everyOtherPart: { readonly [K in Exclude<keyof Step, "expects" | "writes">]-?: Step } = {
  unique: stepFixture({ unique: [{ take: "open:x", owner: "jit_a" }] }),
  counters: stepFixture({
    counters: [
      { key: "total", add: 1, at: at(0) },
      { key: "recent", add: 1, windowMs: 60_000, at: at(0) },
    ],
  }),
  audit: stepFixture({ audit: [auditFixture({ request: ids.request("a") })] }),
  effects: stepFixture({ effects: [noticeFixture("other", null)] }),
  idempotencyRecord: stepFixture({ idempotencyRecord: idempotencyFixture() }),
};

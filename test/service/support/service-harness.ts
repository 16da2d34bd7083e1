import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { makeId } from "../../../src/core/values/ids.ts";
import { parseEmail, type Identity, type Role } from "../../../src/core/values/identity.ts";
import { emptyRules, type Policy, type Rules } from "../../../src/core/policy/policy.ts";
import { isRefusal, type Refusal } from "../../../src/core/values/refusals.ts";
import { createRuntime } from "../../../src/app/process/runtime.ts";
import { withAccessHold, type AccessHold } from "../../../src/service/guards/access-hold.ts";
import { withClockMark } from "../../../src/service/guards/clock-mark.ts";
import type { RequestInput } from "../../../src/service/ports/request-input.ts";
import type { Caller } from "../../../src/service/ports/caller.ts";
import { createRequestChanges } from "../../../src/service/ports/request-changes.ts";
import type { Connector } from "../../../src/service/ports/connector.ts";
import { createConfigurationService } from "../../../src/service/policies/configuration-service.ts";
import type { CommandResult } from "../../../src/service/request-commands.ts";
import type { ServiceContext } from "../../../src/service/decisions/load-facts.ts";
import type { AuditRow, Store } from "../../../src/service/ports/store.ts";
import { createRulebookReader } from "../../../src/service/decisions/rulebook-reader.ts";
import { createServices, type Services } from "../../../src/service/services.ts";
import { createSlices } from "../../../src/service/async/time-slices.ts";
import { createSurfaces } from "../../../src/service/messaging/surfaces.ts";
import { guardedFromTokens } from "../../../src/service/guards/token-guard.ts";
import { withCommitListeners, type CommitListener } from "../../../src/service/ports/observed-store.ts";
import { openStoreIn } from "../../support/test-store.ts";
import { settableClock, type SettableClock } from "../../support/settable-clock.ts";

type Person = Omit<Identity, "managedBy" | "listed" | "enabled">;

export const staff = (name: string, more: Partial<Person> = {}): Person => ({
  id: makeId("identity", name),
  kind: "HUMAN",
  email: assertPresent(parseEmail(`${name}@company.com`), name),
  name,
  groups: [],
  links: {},
  ...more,
});

export const allStaff: readonly Person[] = [
  staff("dev", { groups: ["engineering", "oncall"], managerId: makeId("identity", "lead") }),
  staff("lead"),
  staff("ann", { groups: ["dba"] }),
  staff("bob", { groups: ["dba"] }),
  staff("cid", { groups: ["dba"] }),
  staff("sec", { groups: ["security"] }),
  staff("sam", { groups: ["security"] }),
  staff("cto"),
  staff("bot", { kind: "SERVICE" }),
];

/** The whole service over a real database in its own folder, with a clock that moves only when told. */
export interface ServiceHarness {
  readonly store: Store;
  readonly services: Services;
  readonly context: ServiceContext;
  readonly clock: SettableClock;
  readonly folder: string;
  /** From now on new access is refused with this refusal, or granted again. */
  hold(refusal: Refusal | undefined): void;
  /** Loads this configuration, like a file. */
  configure(policies: readonly Policy[], rules?: Partial<Rules>, people?: readonly Person[]): Promise<void>;
  caller(name: string, ...roles: readonly Role[]): Promise<Caller>;
  ask(name: string, more?: Partial<RequestInput>): Promise<CommandResult | Refusal>;
  audit(): Promise<
    readonly (AuditRow & { readonly action: string; readonly data: Record<string, unknown> })[]
  >;
  close(): Promise<void>;
}

export interface ServiceHarnessOptions {
  readonly folder?: string;
  readonly listeners?: readonly CommitListener[];
  /** May be changed, as by a reload. */
  readonly connectors?: ReadonlyMap<string, Connector>;
  /** Called at every read of the store by the services. */
  readonly onRead?: (name: string) => void;
  /** Absent: a fault fails the test. */
  readonly onFault?: (fault: unknown) => void;
}

export async function openServiceHarness({
  folder = mkdtempSync(join(tmpdir(), "jit-service-")),
  listeners = [],
  connectors = new Map(),
  onRead,
  onFault = (fault) => {
    throw fault;
  },
}: ServiceHarnessOptions = {}): Promise<ServiceHarness> {
  const clock = settableClock();
  const runtime = createRuntime(clock.now);
  const requestChanges = createRequestChanges();
  const plain = await openStoreIn(folder);
  let held: Refusal | undefined;
  const accessHold: AccessHold = () => held;
  const guarded = withAccessHold(withClockMark(plain, clock.now), accessHold);
  const kept = withCommitListeners(guarded, [...listeners, requestChanges.onCommit]);
  const observed = onRead === undefined ? kept : withReadObserver(kept, onRead);
  const store = guardedFromTokens(observed, () => services.tokenChecks.report, onFault);
  const context: ServiceContext = {
    store,
    requestChanges,
    runtime,
    accessHold,
    checkAuditHead: async () => "matches",
    rulebook: createRulebookReader(store),
    slices: createSlices(),
    surfaces: createSurfaces(),
    connectors: () => connectors,
  };
  const services = createServices(context, async () => {}, onFault);
  const caller: ServiceHarness["caller"] = async (name, ...roles) => {
    const identity = assertPresent(await store.identity(makeId("identity", name)), name);
    return {
      identity: identity.value,
      roles: roles.length === 0 ? ["requester", "approver"] : roles,
      via: "api",
    };
  };
  return {
    store,
    services,
    context,
    clock,
    folder,
    caller,
    hold: (refusal) => {
      held = refusal;
    },
    async configure(policies, rules = {}, people = allStaff) {
      const content = { identities: people, policies, rules: { ...emptyRules, ...rules } };
      const loaded = await createConfigurationService(context).load(content, "file", "jit.yaml");
      if (isRefusal(loaded)) throw new Error(loaded.detail);
    },
    async ask(name, more = {}) {
      return services.requestCommands.ask(await caller(name), {
        identityId: `id_${name}`,
        reason: "an incident",
        scopes: ["read:prod:orders-db"],
        duration: "4h",
        ...more,
      });
    },
    async audit() {
      const rows = await store.auditEvents({ after: 0, limit: 10_000 });
      return rows.map((row) => ({ ...row, ...JSON.parse(row.body) }));
    },
    async close() {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The same store, which reports every read by the method's name. */
function withReadObserver(store: Store, onRead: (name: string) => void): Store {
  return new Proxy(store, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== "function" || name === "commit" || name === "close") return member;
      return (...args: unknown[]): unknown => {
        onRead(String(name));
        return Reflect.apply(member, target, args);
      };
    },
  });
}

/** The answer; a refusal fails the test. */
export function unwrap<Answer extends object>(answer: Answer | Refusal): Answer {
  if (isRefusal(answer)) throw new Error(`${answer.refused}: ${answer.detail}`);
  return answer;
}

/** The code of a refusal, or the status of the request. */
export function refusalOrStatus(answer: CommandResult | Refusal): string {
  return isRefusal(answer) ? answer.refused : answer.request.status;
}

/** A harness for each test of a file, with the common steps: dev requests, a member of group:dba approves, dev claims. */
export function serviceHarnessForEach(policies: () => readonly Policy[]) {
  let harness: ServiceHarness;
  beforeEach(async () => {
    harness = await openServiceHarness();
    await harness.configure(policies());
  });
  afterEach(async () => {
    await harness.close();
  });
  const requestCommands = () => harness.services.requestCommands;
  const approved = async (more: Partial<RequestInput> = {}): Promise<string> => {
    const { request } = unwrap(await harness.ask("dev", more));
    unwrap(await requestCommands().approve(await harness.caller("ann"), request.id, {}));
    return request.id;
  };
  return {
    harness: () => harness,
    requestCommands,
    approved,
    claimed: async (more: Partial<RequestInput> = {}) => {
      const id = await approved(more);
      const { request, credential } = unwrap(await requestCommands().claim(await harness.caller("dev"), id));
      return { id, request, token: assertPresent(credential, "a claim shows its credential").token };
    },
    isActive: async (token: string): Promise<boolean> =>
      (await harness.services.tokenChecks.introspect(token)).active,
  };
}

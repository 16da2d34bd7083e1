import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { secondMs } from "../../../src/core/values/time.ts";
import { createRelay } from "../../../src/background/outbox/relay.ts";
import { createRunners } from "../../../src/background/outbox/runners/effect-runners.ts";
import type { RequestInput } from "../../../src/service/ports/request-input.ts";
import type { Connector } from "../../../src/service/ports/connector.ts";
import type { ClaimInput } from "../../../src/service/request-commands.ts";
import type { TargetNamed } from "../../../src/service/ports/target-reads.ts";
import { createExpirySweep, createRequestSweep } from "../../../src/background/sweeps/request-sweeps.ts";
import { startOrphanSweep } from "../../../src/background/sweeps/orphan-sweep.ts";
import { createOverdueSweep } from "../../../src/background/sweeps/overdue-sweep.ts";
import { approvalPolicy, autoPolicy, stageBy } from "../../core/support/policies.ts";
import { createFakeTarget, type FakeTarget, type FakeTargetOptions } from "../../fakes/fake-target.ts";
import { unwrap, openServiceHarness, type ServiceHarness } from "./service-harness.ts";

/** A harness with targets, the relay and every sweep. They run when the test calls them or something is due. */
export interface TargetHarness extends ServiceHarness {
  readonly target: FakeTarget;
  readonly targets: readonly FakeTarget[];
  readonly connectors: Map<string, Connector>;
  readonly faults: unknown[];
  readonly alerts: TargetNamed[];
  add(options: Omit<FakeTargetOptions, "file">): FakeTarget;
  /** Runs the scheduled sweeps and the relay once. */
  tick(): Promise<void>;
  /** Runs the orphan sweep once. */
  sweepOrphans(): Promise<void>;
  /** Lets time pass as in a running service: in steps of 5 s, with the orphan sweep every 30 s. */
  live(ms: number): Promise<void>;
  approved(more?: Partial<RequestInput>): Promise<string>;
  claim(id: string, input?: ClaimInput): ReturnType<ServiceHarness["services"]["requestCommands"]["claim"]>;
  /** Requests, approves and claims. */
  holding(more?: Partial<RequestInput>): Promise<Holding>;
}

export interface Holding {
  readonly id: string;
  readonly token: string;
  readonly object: string;
  readonly secret: string;
}

export interface TargetHarnessOptions {
  /** A folder used before, to continue from its state. */
  readonly folder?: string;
  /** Called after each commit, and around each change at a target. */
  readonly onStep?: (step: string) => void;
  /** In addition to `orders-db`, which always exists. */
  readonly more?: readonly Omit<FakeTargetOptions, "file">[];
}

export async function openTargetHarness({
  folder = mkdtempSync(join(tmpdir(), "jit-targets-")),
  onStep = () => {},
  more: moreTargets = [],
}: TargetHarnessOptions = {}): Promise<TargetHarness> {
  const connectors = new Map<string, Connector>();
  const targets: FakeTarget[] = [];
  const faults: unknown[] = [];
  const alerts: TargetNamed[] = [];
  const add = (options: Omit<FakeTargetOptions, "file">): FakeTarget => {
    const made = createFakeTarget({
      file: join(folder, `${options.name ?? "orders-db"}.json`),
      onStep,
      ...options,
    });
    connectors.set(made.name, made);
    targets.push(made);
    return made;
  };
  const target = add({});
  for (const one of moreTargets) add(one);
  const onFault = (fault: unknown): void => void faults.push(fault);
  let wake = (): void => {};
  const harness = await openServiceHarness({
    folder,
    connectors,
    onFault,
    listeners: [
      ({ effects }) => {
        onStep("after commit");
        if (effects.length > 0) wake();
      },
    ],
  });
  const { store, services, clock, context } = harness;
  const relay = createRelay(
    store,
    context.runtime,
    createRunners(context, services, { info: () => {}, warn: () => {} }),
    onFault,
  );
  wake = relay.wake;
  const orphans = startOrphanSweep(context.connectors, services.orphans, onFault, 2 ** 30);
  const sweeps = [
    createExpirySweep(store, services.grants, clock),
    createRequestSweep(store, services.grants, clock),
    createOverdueSweep(store, services.targets, clock, (late) => void alerts.push(late)),
  ];
  const tick = async (): Promise<void> => {
    for (const sweep of sweeps) await sweep.run(new AbortController().signal);
    await relay.drain();
  };
  const dev = async () => harness.caller("dev");
  await harness.configure([
    approvalPolicy("dba", { stages: [stageBy("group:dba")] }),
    autoPolicy("auto", {
      priority: 1,
      conditions: [{ type: "ACTION", operator: "EQUALS", value: "auto" }],
    }),
  ]);
  const approved: TargetHarness["approved"] = async (more = {}) => {
    const { request } = unwrap(await harness.ask("dev", more));
    unwrap(await services.requestCommands.approve(await harness.caller("ann"), request.id, {}));
    return request.id;
  };
  const claim: TargetHarness["claim"] = async (id, input) =>
    services.requestCommands.claim(await dev(), id, input);
  return {
    ...harness,
    target,
    targets,
    connectors,
    faults,
    alerts,
    add,
    tick,
    sweepOrphans: orphans.tick,
    async live(ms) {
      for (let passed = 0; passed < ms; passed += 5 * secondMs) {
        clock.pass(5 * secondMs);
        await tick();
        if (passed % (30 * secondMs) === 0) await orphans.tick();
      }
    },
    approved,
    claim,
    async holding(more) {
      const id = await approved(more);
      const { credential } = unwrap(await claim(id));
      const [at] = assertPresent(credential, "a credential").targets;
      return {
        id,
        token: assertPresent(credential, "a credential").token,
        object: assertPresent(at, "a target").username,
        secret: assertPresent(at?.secret, "a secret"),
      };
    },
    async close() {
      await orphans.stop();
      await relay.stop();
      await harness.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function view(harness: TargetHarness, id: string) {
  const found = await harness.services.requestQueries.read(await harness.caller("dev"), id);
  if ("refused" in found) throw new Error(found.detail);
  return found;
}

export async function statesOf(harness: TargetHarness, id: string): Promise<readonly string[]> {
  return ((await view(harness, id)).grant?.targets ?? []).map((one) => one.state);
}

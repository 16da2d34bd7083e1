import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { present } from "../../../src/core/values/assert.ts";
import { secondMs } from "../../../src/core/values/time.ts";
import { createRelay } from "../../../src/background/outbox/relay.ts";
import { createRunners } from "../../../src/background/outbox/runners/effect-runners.ts";
import type { AskInput } from "../../../src/service/ports/request-input.ts";
import type { Connector } from "../../../src/service/ports/connector.ts";
import type { ClaimInput } from "../../../src/service/request-commands.ts";
import type { TargetNamed } from "../../../src/service/ports/target-reads.ts";
import { createExpirySweep, createRequestSweep } from "../../../src/background/sweeps/request-sweeps.ts";
import { startOrphanSweep } from "../../../src/background/sweeps/orphan-sweep.ts";
import { createOverdueSweep } from "../../../src/background/sweeps/overdue-sweep.ts";
import { approvalPolicy, autoPolicy, stageBy } from "../../core/support/policies.ts";
import { createFakeTarget, type FakeTarget, type FakeTargetOptions } from "../../fakes/fake-target.ts";
import { granted, openOffice, type Office } from "./service-harness.ts";

/** An office with targets: the relay and every sweep are there, and run when the test says so or something is due. */
export interface TargetOffice extends Office {
  readonly target: FakeTarget;
  readonly targets: readonly FakeTarget[];
  readonly connectors: Map<string, Connector>;
  readonly faults: unknown[];
  readonly alerts: TargetNamed[];
  add(options: Omit<FakeTargetOptions, "file">): FakeTarget;
  /** The sweeps of the timetable and the relay, once. */
  tick(): Promise<void>;
  /** The orphan sweep, once. */
  sweepOrphans(): Promise<void>;
  /** Time passes as in a running service: in steps of 5 s, the orphan sweep every 30 s. */
  live(ms: number): Promise<void>;
  approved(more?: Partial<AskInput>): Promise<string>;
  claim(id: string, input?: ClaimInput): ReturnType<Office["services"]["desk"]["claim"]>;
  /** Asked, approved, claimed. */
  holding(more?: Partial<AskInput>): Promise<Holding>;
}

export interface Holding {
  readonly id: string;
  readonly token: string;
  readonly object: string;
  readonly secret: string;
}

export interface TargetOfficeOptions {
  /** Given again, it goes on from there. */
  readonly folder?: string;
  /** Called after each commit, and around each change at a target. */
  readonly onStep?: (step: string) => void;
  /** Besides `orders-db`, which is always there. */
  readonly more?: readonly Omit<FakeTargetOptions, "file">[];
}

export async function openTargetOffice({
  folder = mkdtempSync(join(tmpdir(), "jit-targets-")),
  onStep = () => {},
  more: moreTargets = [],
}: TargetOfficeOptions = {}): Promise<TargetOffice> {
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
  let nudge = (): void => {};
  const office = await openOffice({
    folder,
    connectors,
    onFault,
    watchers: [
      ({ effects }) => {
        onStep("after commit");
        if (effects.length > 0) nudge();
      },
    ],
  });
  const { store, services, clock, context } = office;
  const relay = createRelay(
    store,
    context.surroundings,
    createRunners(context, services, { info: () => {}, warn: () => {} }),
    onFault,
  );
  nudge = relay.nudge;
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
  const dev = async () => office.caller("dev");
  await office.configure([
    approvalPolicy("dba", { stages: [stageBy("group:dba")] }),
    autoPolicy("auto", {
      priority: 1,
      conditions: [{ type: "ACTION", operator: "EQUALS", value: "auto" }],
    }),
  ]);
  const approved: TargetOffice["approved"] = async (more = {}) => {
    const { request } = granted(await office.ask("dev", more));
    granted(await services.desk.approve(await office.caller("ann"), request.id, {}));
    return request.id;
  };
  const claim: TargetOffice["claim"] = async (id, input) => services.desk.claim(await dev(), id, input);
  return {
    ...office,
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
      const { credential } = granted(await claim(id));
      const [at] = present(credential, "a credential").targets;
      return {
        id,
        token: present(credential, "a credential").token,
        object: present(at, "a target").username,
        secret: present(at?.secret, "a secret"),
      };
    },
    async close() {
      await orphans.stop();
      await relay.stop();
      await office.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function view(office: TargetOffice, id: string) {
  const found = await office.services.reading.read(await office.caller("dev"), id);
  if ("refused" in found) throw new Error(found.detail);
  return found;
}

export async function statesOf(office: TargetOffice, id: string): Promise<readonly string[]> {
  return ((await view(office, id)).grant?.targets ?? []).map((one) => one.state);
}

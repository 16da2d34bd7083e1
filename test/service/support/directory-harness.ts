import { afterEach, beforeEach, expect } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { parseSelector } from "../../../src/core/values/identity.ts";
import type { Policy, Rules } from "../../../src/core/policy/policy.ts";
import { isRefusal } from "../../../src/core/values/refusals.ts";
import type { Relay } from "../../../src/background/outbox/relay.ts";
import type { RequestView } from "../../../src/service/views/request-view.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { fakeMessenger, type FakeMessenger } from "../../background/outbox/support/fake-messenger.ts";
import { createHarnessRelay } from "../../background/outbox/support/harness-relay.ts";
import {
  allStaff,
  unwrap,
  openServiceHarness,
  refusalOrStatus,
  type ServiceHarness,
} from "./service-harness.ts";

type Person = (typeof allStaff)[number];

export const byDba = approvalPolicy("dba", { stages: [stageBy("group:dba", { required: 2 })] });
export const bySecurity = approvalPolicy("sec", { stages: [stageBy("group:security")] });

export const ctoAdministers = {
  chatRoles: { admin: [assertPresent(parseSelector("identity:id_cto"), "a selector")], auditor: [] },
};

/** A harness whose people change by reloads of the file, with the relay and two surfaces. id_cto is administrator. */
export function changingPeople(
  policies: readonly Policy[] = [byDba],
  rules: Partial<Rules> = ctoAdministers,
) {
  let harness: ServiceHarness;
  let relay: Relay;
  let slack: FakeMessenger;
  let email: FakeMessenger;
  let people: readonly Person[];
  let loaded = policies;
  beforeEach(async () => {
    harness = await openServiceHarness();
    people = allStaff;
    loaded = policies;
    await harness.configure(policies, rules);
    slack = fakeMessenger("slack");
    email = fakeMessenger("email");
    harness.context.surfaces.add(slack);
    harness.context.surfaces.add(email);
    relay = createHarnessRelay(harness, []);
  });
  afterEach(async () => {
    await relay.stop();
    await harness.close();
  });

  /** Loads these policies with the current people. */
  const load = async (...next: readonly Policy[]): Promise<void> => {
    loaded = next;
    await harness.configure(next, rules, people);
    await relay.drain();
  };

  /** Loads the people with this change, and these policies or else the current ones. */
  const change = async (
    changed: (one: Person) => Partial<Person>,
    ...next: readonly Policy[]
  ): Promise<void> => {
    people = people.map((one) => ({ ...one, ...changed(one) }));
    await load(...(next.length === 0 ? loaded : next));
  };

  return {
    harness: () => harness,
    relay: () => relay,
    slack: () => slack,
    email: () => email,
    load,
    change,
    /** Makes these people the only members of a group. */
    members: async (group: string, ...names: readonly string[]): Promise<void> =>
      change(({ name, groups }) => ({
        groups: [...groups.filter((one) => one !== group), ...(names.includes(name) ? [group] : [])],
      })),
    ask: async (): Promise<string> => {
      const { request } = unwrap(await harness.ask("dev"));
      await relay.drain();
      return request.id;
    },
    approve: async (name: string, id: string): Promise<string> =>
      refusalOrStatus(await harness.services.requestCommands.approve(await harness.caller(name), id, {})),
    view: async (id: string): Promise<RequestView> => {
      const read = await harness.services.requestQueries.read(await harness.caller("cto", "auditor"), id);
      return isRefusal(read) ? expect.fail(read.detail) : read;
    },
    /** The audit actions about this request itself. */
    actions: async (id: string): Promise<readonly string[]> =>
      (await harness.audit())
        .filter((row) => JSON.parse(row.body).request === id)
        .map((row) => row.action)
        .filter((action) => action.startsWith("request.")),
    stranded: async (): Promise<number> => harness.store.strandedRequests(harness.clock.now()),
  };
}

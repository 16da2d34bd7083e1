import * as fc from "fast-check";
import { expect, test } from "vitest";
import { minuteMs } from "../../../src/core/values/time.ts";
import { down, refusing, type FakeTarget } from "../../fakes/fake-target.ts";
import { secretsFound } from "../../support/find-secrets.ts";
import { foldAudit } from "../support/fold-audit-log.ts";
import { beginRandomRun, randomDay, standing } from "../support/random-actions.ts";
import { openTargetHarness, type TargetHarness } from "../support/target-harness.ts";

/** What goes wrong at a target in the next batch. None of it makes a claim wait for its two seconds. */
const mischief = fc.record({
  which: fc.nat(),
  kind: fc.constantFrom("nothing", "nothing", "cannot give", "cannot mint", "cannot take back", "by hand"),
});

function strike(target: FakeTarget, kind: string): void {
  const { faults } = target.trouble;
  faults.provision = kind === "cannot give" ? [refusing()] : [];
  faults.issue = kind === "cannot mint" ? [refusing()] : [];
  faults.takeBack = kind === "cannot take back" ? [down(), down(), refusing()] : [];
  if (kind === "by hand") {
    target.change((objects) => {
      const [first] = Object.keys(objects);
      if (first !== undefined) Reflect.deleteProperty(objects, first);
    });
  }
}

/** What every target lists is what some grant wants there, and every grant that is over is settled. */
async function expectListingsToBeOfGrants(
  harness: TargetHarness,
  handed: ReadonlySet<string>,
): Promise<void> {
  const all = await harness.services.requestQueries.list(await standing(harness), {}, { limit: 200 });
  if ("refused" in all) throw new Error(all.detail);
  const wanted = new Map(harness.targets.map(({ name }) => [name, new Set<string>()]));
  for (const { id, status, grant } of all.rows) {
    const isOver = status !== "ACTIVE" && (grant === null || grant.endedAt !== null);
    for (const { connector, object, state, clearedAt } of grant?.targets ?? []) {
      if (isOver) expect({ id, state, isSettled: clearedAt !== null }).toMatchObject({ isSettled: true });
      else wanted.get(connector)?.add(object);
    }
  }
  for (const { name, state } of harness.targets) {
    const { objects } = state();
    const listed = Object.keys(objects);
    for (const object of listed)
      expect([name, [...(wanted.get(name) ?? [])]]).toEqual([name, expect.arrayContaining([object])]);
    for (const object of wanted.get(name) ?? []) if (!handed.has(object)) expect(listed).toContain(object);
  }
}

const said = new Map<string, number>();

test("after any concurrent actions and target failures, targets list exactly what grants expect", async () => {
  await fc.assert(
    fc.asyncProperty(randomDay, fc.array(mischief, { minLength: 20, maxLength: 20 }), async (day, tricks) => {
      const harness = await openTargetHarness({ more: [{ name: "dev-db", resources: "dev:" }] });
      try {
        const run = await beginRandomRun(harness, harness.tick);
        const handed = new Set<string>();
        for (const [turn, { together, passMs }] of day.slice(0, 30).entries()) {
          harness.clock.pass(passMs);
          const trick = tricks[turn % tricks.length];
          const target = harness.targets[(trick?.which ?? 0) % harness.targets.length];
          if (target !== undefined && trick !== undefined) {
            if (trick.kind === "by hand") handed.add(Object.keys(target.state().objects)[0] ?? "");
            strike(target, trick.kind);
          }
          await Promise.all(together.map((one) => run.play(one)));
          await run.settle();
          await harness.sweepOrphans();
        }
        for (const target of harness.targets) strike(target, "nothing");
        await harness.live(2 * minuteMs);
        await expectListingsToBeOfGrants(harness, handed);
        const actions = (await harness.audit()).map((one) => one.action);
        expect(actions.filter((one) => one.startsWith("orphan."))).toEqual([]);
        for (const one of actions) said.set(one, (said.get(one) ?? 0) + 1);
        const told = foldAudit(await harness.audit(), harness.clock.now());
        const all = await harness.services.requestQueries.list(await standing(harness), {}, { limit: 200 });
        for (const row of "rows" in all ? all.rows : [])
          expect({ id: row.id, status: told.get(row.id)?.status }).toEqual({
            id: row.id,
            status: row.status,
          });
        expect(await harness.store.verifyAudit()).toMatchObject({ ok: true });
        expect(await harness.store.unrecorded(20)).toEqual([]);
        const secrets = new Set([
          ...run.tokens.map((one) => one.token),
          ...harness.targets.flatMap((one) => one.secrets),
        ]);
        expect(secretsFound(harness.folder, secrets)).toEqual([]);
      } finally {
        await harness.close();
      }
    }),
    { numRuns: Number(process.env["RUNS"] ?? 5) },
  );
  // Runs that never get anywhere prove nothing.
  for (const action of ["target.provisioned", "target.revoked"]) expect(said.get(action)).toBeGreaterThan(0);
}, 180_000);

import Database from "better-sqlite3";
import * as fc from "fast-check";
import { join } from "node:path";
import { expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { parseId } from "../../../src/core/values/ids.ts";
import { isActive } from "../../../src/core/values/identity.ts";
import { isRefusal } from "../../../src/core/values/refusals.ts";
import { dayMs } from "../../../src/core/values/time.ts";
import { openKey } from "../../../src/service/decisions/build-step.ts";
import type { RequestView } from "../../../src/service/views/request-view.ts";
import { secretsFound } from "../../support/find-secrets.ts";
import { foldAudit } from "../support/fold-audit-log.ts";
import { openServiceHarness } from "../support/service-harness.ts";
import { beginRandomRun, randomDay, standing, type RandomRun } from "../support/random-actions.ts";
import { openMax, useMax } from "../support/random-policies.ts";

/** Every gauge and unique name, counted again from the rows. */
function expectCountersToEqualRows({ harness }: RandomRun): void {
  const client = new Database(join(harness.folder, "data", "jit.db"), { readonly: true });
  const rows = (sql: string): ReadonlyMap<unknown, unknown> =>
    new Map(client.prepare<[], [unknown, unknown]>(sql).raw().all());
  const gauges = rows(
    "SELECT key, used FROM counters WHERE used <> 0 AND (key LIKE 'pending:%' OR key LIKE 'active:%')",
  );
  const counted = new Map([
    ...rows("SELECT 'pending:' || subject_id, count(*) FROM requests WHERE status = 'PENDING' GROUP BY 1"),
    ...rows(
      "SELECT 'active:' || subject_id, count(*) FROM grants WHERE phase IN ('PREPARING', 'ACTIVE') AND json_extract(value, '$.breakGlass') = 0 GROUP BY 1",
    ),
  ]);
  const spent = rows("SELECT key, used FROM counters WHERE key LIKE 'use:%'");
  client.close();
  expect(gauges).toEqual(counted);
  for (const used of gauges.values()) expect(used).toBeLessThanOrEqual(openMax);
  for (const used of spent.values()) expect(used).toBeLessThanOrEqual(useMax);
}

/** A single read and a list must agree. */
async function expectMemoryToEqualRows({ harness, requests }: RandomRun): Promise<void> {
  const { rows } = await harness.store.requests({ now: harness.clock.now() }, { limit: 200 });
  expect(rows).toHaveLength(requests.length);
  for (const row of rows) expect(await harness.store.request(row.request.value.id)).toStrictEqual(row);
}

async function expectGuardsToEqualRows({ harness, requests }: RandomRun): Promise<void> {
  const client = new Database(join(harness.folder, "data", "jit.db"), { readonly: true });
  const held = client
    .prepare<[], string>(
      "SELECT name || ' ' || owner FROM unique_names WHERE name LIKE 'open:%' OR name LIKE 'extension:%'",
    )
    .pluck()
    .all();
  client.close();
  const wanted: string[] = [];
  for (const id of requests) {
    const found = assertPresent(await harness.store.request(assertPresent(parseId("request", id), id)), id);
    const key = openKey(found.request.value);
    if (key !== undefined) wanted.push(`${key} ${id}`);
  }
  expect(held.toSorted()).toEqual(wanted.toSorted());
}

async function viewsOf({ harness, requests }: RandomRun): Promise<readonly RequestView[]> {
  const views: RequestView[] = [];
  const all = await harness.services.requestQueries.list(await standing(harness), {}, { limit: 200 });
  if (!isRefusal(all)) views.push(...all.rows);
  expect(views.map((one) => one.id).toSorted()).toEqual(requests.toSorted());
  return views;
}

async function expectAuditToTellTheSame(run: RandomRun, views: readonly RequestView[]): Promise<void> {
  const told = foldAudit(await run.harness.audit(), run.harness.clock.now());
  const msOf = (text: string | null): number | null => (text === null ? null : Date.parse(text));
  for (const { id, status, startedAt, expiresAt, endedAt } of views) {
    expect({ id, ...told.get(id) }).toMatchObject({
      id,
      status,
      startedAt: msOf(startedAt),
      expiresAt: msOf(expiresAt),
      endedAt: msOf(endedAt),
    });
  }
}

/** A token is valid exactly while it is its grant's current one, and the grant and its holder are active. */
async function expectTokensToOpenWhatTheyShould(
  run: RandomRun,
  views: readonly RequestView[],
): Promise<void> {
  for (const { token, credentialId, requestId } of run.tokens) {
    const view = assertPresent(
      views.find((one) => one.id === requestId),
      requestId,
    );
    const holder = assertPresent(
      await run.harness.store.identity(assertPresent(parseId("identity", view.identityId), "id")),
      "holder",
    );
    const shouldOpen =
      view.status === "ACTIVE" && view.grant?.credential?.id === credentialId && isActive(holder.value);
    const { active } = await run.harness.services.tokenChecks.introspect(token);
    expect({ credentialId, active }).toEqual({ credentialId, active: shouldOpen });
  }
}

/** Inactive people have nothing open once all effects have run. */
async function expectNothingLeftToTheInactive(run: RandomRun, views: readonly RequestView[]): Promise<void> {
  const open = views.filter((one) => one.endedAt === null);
  for (const id of new Set(open.map((one) => one.identityId))) {
    const holder = assertPresent(
      await run.harness.store.identity(assertPresent(parseId("identity", id), id)),
      id,
    );
    expect({ id, active: isActive(holder.value) }).toEqual({ id, active: true });
  }
}

function expectNobodyToDecideForThemselves(views: readonly RequestView[]): void {
  for (const { identityId, requestedBy, approvers } of views) {
    for (const one of approvers) expect([identityId, requestedBy, "id_bot"]).not.toContain(one.identityId);
  }
}

const seen = new Map<string, number>();

test("after any concurrent actions counters match the rows, the audit log explains every state, ended access stays ended, tokens match their grants", async () => {
  await fc.assert(
    fc.asyncProperty(randomDay, async (day) => {
      const harness = await openServiceHarness();
      try {
        const run = await beginRandomRun(harness);
        const over = new Map<string, unknown>();
        for (const { together, passMs } of day) {
          harness.clock.pass(passMs);
          await Promise.all(together.map((one) => run.play(one)));
          await run.settle();
          await expectMemoryToEqualRows(run);
          const views = await viewsOf(run);
          expectCountersToEqualRows(run);
          await expectGuardsToEqualRows(run);
          await expectAuditToTellTheSame(run, views);
          await expectTokensToOpenWhatTheyShould(run, views);
          await expectNothingLeftToTheInactive(run, views);
          expectNobodyToDecideForThemselves(views);
          for (const { id, status, endedAt, expiresAt } of views) {
            const now = { status, endedAt, expiresAt };
            if (over.has(id)) expect(now).toEqual(over.get(id));
            if (endedAt !== null) over.set(id, now);
          }
        }
        const uses = (await harness.audit()).filter((one) => one.action === "break_glass.used");
        const times = uses.map((one) => Date.parse(String(JSON.parse(one.body).at)));
        for (const at of times)
          expect(times.filter((other) => other > at - 7 * dayMs && other <= at).length).toBeLessThanOrEqual(
            2,
          );
        expect(await harness.store.verifyAudit()).toMatchObject({ ok: true });
        expect(await harness.store.unrecorded(20)).toEqual([]);
        expect(secretsFound(harness.folder, new Set(run.tokens.map((one) => one.token)))).toEqual([]);
        for (const [code, times_] of run.said) seen.set(code, (seen.get(code) ?? 0) + times_);
      } finally {
        await harness.close();
      }
    }),
    { numRuns: Number(process.env["RUNS"] ?? 12) },
  );
  expect(seen.get("store_unavailable")).toBeUndefined();
  // Runs that never get anywhere prove nothing.
  for (const status of ["PENDING", "APPROVED", "ACTIVE"]) expect(seen.get(status)).toBeGreaterThan(0);
}, 120_000);

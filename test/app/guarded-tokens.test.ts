import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createApplication, closeApplication, type Application } from "../../src/app/application.ts";
import { readEnvironment } from "../../src/config/environment.ts";
import { createLogger } from "../../src/app/observability/logger.ts";
import { unwrap } from "../service/support/service-harness.ts";
import { secretsFound } from "../support/find-secrets.ts";
import { identityFixture, policyFixture, stepFixture } from "../support/fixtures.ts";

let folder: string;
let app: Application;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "jit-app-"));
  const settings = readEnvironment({ DATABASE_URL: join(folder, "jit.db") });
  if ("problems" in settings) throw new Error(JSON.stringify(settings.problems));
  const log = createLogger("silent", () => undefined);
  app = await createApplication(settings.ok, log, (fault) => {
    throw fault;
  });
});

afterEach(async () => {
  await closeApplication(app);
  rmSync(folder, { recursive: true, force: true });
});

/** An active API key of a stored identity. */
async function liveToken(): Promise<{ readonly id: string; readonly token: string }> {
  const person = identityFixture("dev");
  const expects = [{ kind: "identity", id: person.id, version: 0 }] as const;
  await app.store.commit(stepFixture({ expects, writes: [{ kind: "identity", value: person }] }));
  const admin = { identity: person, roles: ["admin"], via: "api" } as const;
  const made = unwrap(
    await app.services.apiKeys.create(admin, {
      identityId: person.id,
      name: "deploys",
      roles: ["requester"],
    }),
  );
  return { id: made.key.id, token: made.token };
}

const isEnded = async (id: string): Promise<boolean> => {
  const { rows } = await app.store.keys({ limit: 10 });
  return rows.every((key) => key.id !== id || key.deletedAt !== null);
};

test("the program masks a token in everything it stores, also where no service checks, and revokes it", async () => {
  const { id, token } = await liveToken();
  const value = { user: { name: `Dev ${token}` } };
  await app.context.store.commit(
    stepFixture({ writes: [{ kind: "address", surface: "teams", key: "dev", value }] }),
  );
  expect(JSON.stringify(await app.store.address("teams", "dev"))).toContain("Dev ");
  await expect.poll(() => isEnded(id)).toBe(true);
  expect(secretsFound(folder, new Set([token]))).toEqual([]);
});

test("the program refuses a rule with a token, stores nothing of it, and revokes the token", async () => {
  const { id, token } = await liveToken();
  const version = await app.store.rulebookVersion();
  const value = policyFixture("p", { description: `for ${token}` });
  const expects = [{ kind: "rulebook", id: "rulebook", version }] as const;
  const outcome = await app.context.store.commit(
    stepFixture({ expects, writes: [{ kind: "policy", value }] }),
  );
  expect(outcome).toMatchObject({ refusal: { refused: "invalid_body" } });
  expect((await app.store.rulebook()).policies).toEqual([]);
  await expect.poll(() => isEnded(id)).toBe(true);
  expect(secretsFound(folder, new Set([token]))).toEqual([]);
});

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeId } from "../../../src/core/values/ids.ts";
import { hourMs, secondMs } from "../../../src/core/values/time.ts";
import { refusing } from "../../fakes/fake-target.ts";
import { unwrap, refusalOrStatus } from "../support/service-harness.ts";
import { openTargetHarness, statesOf, view, type TargetHarness } from "../support/target-harness.ts";

let harness: TargetHarness;
beforeEach(async () => {
  harness = await openTargetHarness();
});
afterEach(() => harness.close());

const objects = () => harness.target.state().objects;
const isActive = async (token: string) => (await harness.services.tokenChecks.introspect(token)).active;

describe("rotation and extension", () => {
  test("rotation also replaces the secrets at the targets; the old ones stop working", async () => {
    const { id, object, secret, token } = await harness.holding();
    const { credential } = unwrap(
      await harness.services.requestCommands.rotate(await harness.caller("dev"), id),
    );
    const [at] = credential?.targets ?? [];
    expect(harness.target.opens(object, secret)).toBe(false);
    expect(harness.target.opens(object, at?.secret ?? null)).toBe(true);
    expect(await isActive(token)).toBe(false);
  });

  test("a token is replaced while a target is down, and the answer says what to do", async () => {
    const { id, token } = await harness.holding();
    harness.target.trouble.isDown = true;
    const { credential } = unwrap(
      await harness.services.requestCommands.rotate(await harness.caller("dev"), id),
    );
    expect(await isActive(token)).toBe(false);
    expect(await isActive(String(credential?.token))).toBe(true);
    expect(credential?.targets).toMatchObject([
      { secret: null, problem: expect.stringContaining("rotate again") },
    ]);
  });

  test("an extension moves the end at the target and keeps the secret", async () => {
    const { id, object, secret } = await harness.holding();
    const child = unwrap(
      await harness.services.requestCommands.extend(await harness.caller("dev"), id, {
        duration: "1h",
        reason: "more",
      }),
    );
    unwrap(await harness.services.requestCommands.approve(await harness.caller("bob"), child.request.id, {}));
    await harness.tick();
    const { expiresAt } = await view(harness, id);
    expect(objects()[object]?.notAfter).toBe(Date.parse(String(expiresAt)));
    expect(harness.target.opens(object, secret)).toBe(true);
    expect(await statesOf(harness, id)).toEqual(["PROVISIONED"]);
    harness.clock.pass(5 * hourMs);
    await harness.tick();
    expect(objects()).toEqual({});
  });

  test("an extension that never reached the target does not revive ended access", async () => {
    const { id } = await harness.holding();
    harness.target.trouble.isDown = true;
    const child = unwrap(
      await harness.services.requestCommands.extend(await harness.caller("dev"), id, {
        duration: "1h",
        reason: "more",
      }),
    );
    unwrap(await harness.services.requestCommands.approve(await harness.caller("bob"), child.request.id, {}));
    await harness.tick();
    unwrap(await harness.services.requestCommands.complete(await harness.caller("dev"), id));
    harness.target.trouble.isDown = false;
    await harness.live(30 * secondMs);
    expect(objects()).toEqual({});
    expect(harness.target.state().history).toHaveLength(2);
  });
});

test("an ended grant issues no secret to any caller at any time", async () => {
  const { id, object } = await harness.holding();
  const grantId = makeId("grant", object.slice("jit_".length));
  unwrap(await harness.services.requestCommands.complete(await harness.caller("dev"), id));
  const calls = harness.target.secrets.length;
  const ask = { expiresAt: harness.clock.now() };
  const signal = AbortSignal.timeout(1_000);
  await expect(harness.services.targets.issue(grantId, "orders-db", ask, signal)).rejects.toThrow("over");
  expect(harness.target.secrets).toHaveLength(calls);
});

describe("public keys", () => {
  const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f dev@laptop";

  test("where a target needs one, a claim without is refused with the missing field, and one with it succeeds", async () => {
    harness.add({ name: "bastion", resources: "host:", needsSshPublicKey: true });
    const id = await harness.approved({ scopes: ["login:host:web-1"] });
    expect(await harness.claim(id)).toMatchObject({
      refused: "invalid_body",
      errors: [{ path: "sshPublicKey" }],
    });
    expect(await harness.claim(id, { sshPublicKey: "ssh-rsa AAAA" })).toMatchObject({
      refused: "invalid_body",
    });
    expect(await view(harness, id)).toMatchObject({ status: "APPROVED", grant: null });
    expect(refusalOrStatus(await harness.claim(id, { sshPublicKey: key }))).toBe("ACTIVE");
  });

  test("a rejected key does not fail the request: it can be claimed with another key", async () => {
    const bastion = harness.add({ name: "bastion", resources: "host:", needsSshPublicKey: true });
    bastion.trouble.faults.issue = [refusing("invalid_input")];
    const id = await harness.approved({ scopes: ["login:host:web-1"] });
    expect(await harness.claim(id, { sshPublicKey: key })).toMatchObject({
      refused: "invalid_body",
      errors: [{ path: "sshPublicKey" }],
    });
    expect(await view(harness, id)).toMatchObject({ status: "APPROVED" });
    expect(refusalOrStatus(await harness.claim(id, { sshPublicKey: key }))).toBe("ACTIVE");
  });

  test("a caller who may not claim is told that first", async () => {
    harness.add({ name: "bastion", resources: "host:", needsSshPublicKey: true });
    const id = await harness.approved({ scopes: ["login:host:web-1"] });
    expect(
      refusalOrStatus(await harness.services.requestCommands.claim(await harness.caller("cto"), id)),
    ).toBe("not_requester");
  });
});

test("no target secret is in the database, the audit log or a stored answer", async () => {
  const caller = await harness.caller("dev");
  const once = {
    keyId: "key_dev" as never,
    call: "POST /claim",
    idempotencyKey: "once",
    bodyHash: "0",
  };
  const id = await harness.approved();
  const { credential } = unwrap(
    await harness.services.requestCommands.claim({ ...caller, idempotentCall: once }, id),
  );
  const kept = await harness.store.idempotencyRecord(once.keyId, once.call, once.idempotencyKey);
  expect(JSON.parse(String(kept?.body)).credential).toMatchObject({
    tokenShown: true,
    targets: [{ username: credential?.targets[0]?.username, secret: null }],
  });
  unwrap(await harness.services.requestCommands.rotate(caller, id));
  await harness.services.requestCommands.complete(caller, id);
  await harness.tick();
  expect(harness.target.secrets).toHaveLength(2);
  const data = join(harness.folder, "data");
  for (const name of readdirSync(data)) {
    const bytes = readFileSync(join(data, name), "latin1");
    for (const secret of harness.target.secrets)
      expect({ name, has: bytes.includes(secret) }).toEqual({ name, has: false });
  }
});

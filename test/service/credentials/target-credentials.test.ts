import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeId } from "../../../src/core/values/ids.ts";
import { hourMs, secondMs } from "../../../src/core/values/time.ts";
import { refusing } from "../../fakes/fake-target.ts";
import { granted, saidTo } from "../support/service-harness.ts";
import { openTargetOffice, statesOf, view, type TargetOffice } from "../support/target-harness.ts";

let office: TargetOffice;
beforeEach(async () => {
  office = await openTargetOffice();
});
afterEach(() => office.close());

const objects = () => office.target.state().objects;
const isActive = async (token: string) => (await office.services.checking.introspect(token)).active;

describe("rotation and extension", () => {
  test("rotation gives new secrets at the targets too; the old ones are dead", async () => {
    const { id, object, secret, token } = await office.holding();
    const { credential } = granted(await office.services.desk.rotate(await office.caller("dev"), id));
    const [at] = credential?.targets ?? [];
    expect(office.target.opens(object, secret)).toBe(false);
    expect(office.target.opens(object, at?.secret ?? null)).toBe(true);
    expect(await isActive(token)).toBe(false);
  });

  test("a target that is down does not keep a token from being replaced, and says what to do", async () => {
    const { id, token } = await office.holding();
    office.target.trouble.isDown = true;
    const { credential } = granted(await office.services.desk.rotate(await office.caller("dev"), id));
    expect(await isActive(token)).toBe(false);
    expect(await isActive(String(credential?.token))).toBe(true);
    expect(credential?.targets).toMatchObject([
      { secret: null, problem: expect.stringContaining("rotate again") },
    ]);
  });

  test("an extension moves the end at the target, and leaves the secret", async () => {
    const { id, object, secret } = await office.holding();
    const child = granted(
      await office.services.desk.extend(await office.caller("dev"), id, { duration: "1h", reason: "more" }),
    );
    granted(await office.services.desk.approve(await office.caller("bob"), child.request.id, {}));
    await office.tick();
    const { expiresAt } = await view(office, id);
    expect(objects()[object]?.notAfter).toBe(Date.parse(String(expiresAt)));
    expect(office.target.opens(object, secret)).toBe(true);
    expect(await statesOf(office, id)).toEqual(["PROVISIONED"]);
    office.clock.pass(5 * hourMs);
    await office.tick();
    expect(objects()).toEqual({});
  });

  test("an extension that the target cannot be told does not bring it back when it has ended", async () => {
    const { id } = await office.holding();
    office.target.trouble.isDown = true;
    const child = granted(
      await office.services.desk.extend(await office.caller("dev"), id, { duration: "1h", reason: "more" }),
    );
    granted(await office.services.desk.approve(await office.caller("bob"), child.request.id, {}));
    await office.tick();
    granted(await office.services.desk.complete(await office.caller("dev"), id));
    office.target.trouble.isDown = false;
    await office.live(30 * secondMs);
    expect(objects()).toEqual({});
    expect(office.target.state().history).toHaveLength(2);
  });
});

test("a grant that is over mints nothing more, whoever asks and however late", async () => {
  const { id, object } = await office.holding();
  const grantId = makeId("grant", object.slice("jit_".length));
  granted(await office.services.desk.complete(await office.caller("dev"), id));
  const calls = office.target.secrets.length;
  const ask = { expiresAt: office.clock.now() };
  const signal = AbortSignal.timeout(1_000);
  await expect(office.services.targets.issue(grantId, "orders-db", ask, signal)).rejects.toThrow("over");
  expect(office.target.secrets).toHaveLength(calls);
});

describe("public keys", () => {
  const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f dev@laptop";

  test("where a target needs one, a claim without is refused with the field it lacks; with one it is given", async () => {
    office.add({ name: "bastion", resources: "host:", needsSshPublicKey: true });
    const id = await office.approved({ scopes: ["login:host:web-1"] });
    expect(await office.claim(id)).toMatchObject({
      refused: "invalid_body",
      errors: [{ path: "sshPublicKey" }],
    });
    expect(await office.claim(id, { sshPublicKey: "ssh-rsa AAAA" })).toMatchObject({
      refused: "invalid_body",
    });
    expect(await view(office, id)).toMatchObject({ status: "APPROVED", grant: null });
    expect(saidTo(await office.claim(id, { sshPublicKey: key }))).toBe("ACTIVE");
  });

  test("one that the target does not take fails nothing: the request is claimed with another", async () => {
    const bastion = office.add({ name: "bastion", resources: "host:", needsSshPublicKey: true });
    bastion.trouble.faults.issue = [refusing("invalid_input")];
    const id = await office.approved({ scopes: ["login:host:web-1"] });
    expect(await office.claim(id, { sshPublicKey: key })).toMatchObject({
      refused: "invalid_body",
      errors: [{ path: "sshPublicKey" }],
    });
    expect(await view(office, id)).toMatchObject({ status: "APPROVED" });
    expect(saidTo(await office.claim(id, { sshPublicKey: key }))).toBe("ACTIVE");
  });

  test("who may not claim hears that first", async () => {
    office.add({ name: "bastion", resources: "host:", needsSshPublicKey: true });
    const id = await office.approved({ scopes: ["login:host:web-1"] });
    expect(saidTo(await office.services.desk.claim(await office.caller("cto"), id))).toBe("not_requester");
  });
});

test("no secret of a target is in the database, the audit log or a kept answer", async () => {
  const caller = await office.caller("dev");
  const once = {
    keyId: "key_dev" as never,
    call: "POST /claim",
    idempotencyKey: "once",
    bodyHash: "0",
  };
  const id = await office.approved();
  const { credential } = granted(await office.services.desk.claim({ ...caller, once }, id));
  const kept = await office.store.answer(once.keyId, once.call, once.idempotencyKey);
  expect(JSON.parse(String(kept?.body)).credential).toMatchObject({
    tokenShown: true,
    targets: [{ username: credential?.targets[0]?.username, secret: null }],
  });
  granted(await office.services.desk.rotate(caller, id));
  await office.services.desk.complete(caller, id);
  await office.tick();
  expect(office.target.secrets).toHaveLength(2);
  const data = join(office.folder, "data");
  for (const name of readdirSync(data)) {
    const bytes = readFileSync(join(data, name), "latin1");
    for (const secret of office.target.secrets)
      expect({ name, has: bytes.includes(secret) }).toEqual({ name, has: false });
  }
});

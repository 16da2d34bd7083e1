import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRedis, type RedisServer } from "../../../src/connectors/redis/server.ts";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { parseScope } from "../../../src/core/values/scopes.ts";
import type { Connector, TargetSpec } from "../../../src/service/ports/connector.ts";
import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { testConnectorContract } from "../connector-contract.ts";
import { never, specFor, readOrders, connectorOperations } from "../support/connector-harness.ts";
import {
  missingRedis,
  redisKind,
  openRedisHarness,
  reads,
  type RedisHarness,
} from "../support/redis-harness.ts";

leavesNothingBehind();
testConnectorContract(redisKind());

const reason = missingRedis === undefined ? "" : ` (skipped: ${missingRedis})`;

describe.skipIf(missingRedis !== undefined)(`Redis${reason}`, () => {
  let harness: RedisHarness;
  let connector: Connector;
  beforeAll(async () => {
    harness = await openRedisHarness();
    connector = harness.with({});
  });
  afterAll(() => harness.stop());

  async function grantAccess(more: Partial<TargetSpec> = {}, by = connector) {
    const spec = specFor(by, more);
    await by.provision(spec, never());
    const issued = await by.issue(spec, { expiresAt: spec.notAfter }, never());
    return {
      spec,
      issued,
      send: assertPresent(await harness.enter(issued.username, issued.secret ?? ""), "an accepted login"),
    };
  }

  test("a user may run only the commands of the action on the keys of the action", async () => {
    const { spec, send } = await grantAccess();
    expect(await reads(send)).toBe(true);
    for (const command of [
      ["GET", "secrets:1"],
      ["SET", "orders:1", "x"],
      ["KEYS", "*"],
      ["ACL", "LIST"],
      ["ACL", "SETUSER", "me", "on", "nopass", "+@all"],
      ["CONFIG", "GET", "*"],
      ["CLIENT", "LIST"],
      ["PUBLISH", "drafts", "x"],
      ["FLUSHALL"],
      ["MONITOR"],
    ]) {
      await expect(send(...command)).rejects.toThrow(/^NOPERM/);
    }
    await connector.takeBack(spec, never());
  });

  test("the commands of one action cannot be used on the keys of another", async () => {
    const write = assertPresent(parseScope("write:prod:orders-db"), "scope");
    const { spec, send } = await grantAccess(assertPresent(connector.serves([readOrders, write]), "served"));
    expect(await reads(send)).toBe(true);
    await send("SET", "drafts:1", "x");
    await send("PUBLISH", "drafts", "x");
    await expect(send("SET", "orders:1", "x")).rejects.toThrow(/^NOPERM/);
    await expect(send("GET", "drafts:1")).rejects.toThrow(/^NOPERM/);
    expect(await connector.listManaged(never())).toMatchObject([{ drift: [] }]);
    await connector.takeBack(spec, never());
  });

  test.each([
    ["subscribed", ["SUBSCRIBE", "drafts"]],
    ["in a transaction", ["MULTI"]],
  ] as const)("a connection that is %s is closed", async (_, command) => {
    const write = assertPresent(parseScope("write:prod:orders-db"), "scope");
    const subscribing = harness.with({
      actions: {
        ...harness.settings.actions,
        write: { keys: ["drafts:*"], channels: ["drafts"], commands: ["+@pubsub", "+@transaction"] },
      },
    });
    const { spec, issued, send } = await grantAccess(
      assertPresent(subscribing.serves([write]), "served"),
      subscribing,
    );
    void Promise.resolve(send(...command)).catch(() => {});
    await subscribing.takeBack(spec, never());
    expect(String(await harness.run("CLIENT", "LIST"))).not.toContain(`user=${issued.username}`);
  });

  test("a saved user does not come back with a restart, or is listed when it does", async () => {
    const own = await openRedisHarness();
    await own.run("ACL", "SETUSER", "broker", "+acl|save");
    for (const aclSave of [true, false]) {
      const saving = own.with({ aclSave });
      const spec = specFor(saving);
      await saving.provision(spec, never());
      // When we do not save, somebody else may have saved in the meantime.
      await own.run("ACL", "SAVE");
      await saving.takeBack(spec, never());
      await own.restart();
      const listed = await saving.listManaged(never());
      expect(listed.map(({ object }) => object)).toEqual(aclSave ? [] : [spec.object]);
      await saving.takeBack(spec, never());
      expect(await saving.listManaged(never())).toEqual([]);
    }
    await own.stop();
  });

  test.each([
    ["before Redis received it", false],
    ["after Redis received it", true],
  ])(
    "a connection cut at any command, %s, and a retry leave nothing twice and nothing behind",
    async (_, isReceived) => {
      let cuts = 0;
      for (const [index, operation] of connectorOperations.entries()) {
        for (let command = 1; command < 20; command++) {
          const spec = specFor(connector);
          for (const before of connectorOperations.slice(0, index)) await before(connector, spec);
          const { server, wasCut } = cutAt(command, isReceived);
          await operation(harness.with({}, server), spec).catch(() => {});
          const listed = await connector.listManaged(never());
          expect(listed.length).toBeLessThanOrEqual(1);
          expect(listed.flatMap(({ drift }) => drift)).toEqual([]);
          for (const again of connectorOperations.slice(index)) await again(connector, spec);
          expect(await connector.listManaged(never())).toEqual([]);
          if (!wasCut()) break;
          cuts += 1;
        }
      }
      expect(cuts).toBe(17);
    },
  );

  function cutAt(
    command: number,
    isReceived: boolean,
  ): { readonly server: RedisServer; readonly wasCut: () => boolean } {
    const real = openRedis(harness.settings.name, harness.settings.url);
    let seen = 0;
    return {
      wasCut: () => seen >= command,
      server: {
        use: (signal, work) =>
          real.use(signal, (send) =>
            work(async (...words) => {
              seen += 1;
              if (seen > command || (seen === command && !isReceived)) throw new Error("cut");
              const answer = await send(...words);
              if (seen === command) throw new Error("cut");
              return answer;
            }),
          ),
      },
    };
  }

  test.each([`"'; FLUSHALL`, "orders:*\\", "Ω🔑*", "a~b&c"].map((one) => one.replaceAll(" ", "")))(
    "a key pattern %s is only a pattern",
    async (key) => {
      const { spec } = await grantAccess({ rights: { read: [`~${key}`, "-@all", "+@read"] } });
      expect(await connector.listManaged(never())).toMatchObject([{ object: spec.object, drift: [] }]);
      await connector.takeBack(spec, never());
    },
  );

  test.each(["~a +@all", "~a) (~* +@all", "~a)", "\n", "on", "nopass", "+a\tb"])(
    "text that would be more than one rule is rejected: %j",
    async (rule) => {
      const spec = specFor(connector, { rights: { read: [rule] } });
      await expect(connector.provision(spec, never())).rejects.toMatchObject({ code: "invalid_input" });
      expect(await connector.listManaged(never())).toEqual([]);
    },
  );

  test("the check finds what a new broker lacks, and its printed commands fix it", async () => {
    await harness.run("ACL", "SETUSER", "bare", "on", ">bare", "-@all", "+acl|whoami");
    const bare = harness.with({ url: harness.url("bare", "bare"), aclSave: true });
    for (let round = 0; round < 2; round++) {
      const fixes = (await bare.check(never())).flatMap(({ fix }) => (fix === undefined ? [] : [fix]));
      for (const fix of fixes) await harness.run(...fix.split(" "));
    }
    expect((await bare.check(never())).filter(({ result }) => result !== "in_order")).toEqual([]);
    const { spec } = await grantAccess({}, bare);
    await bare.takeBack(spec, never());
  });

  test("a broker without rights is reported, and not retried", async () => {
    await harness.run("ACL", "SETUSER", "none", "on", ">none", "-@all");
    for (const password of ["none", "wrong"]) {
      const refused = harness.with({ url: harness.url("none", password) });
      await expect(refused.provision(specFor(refused), never())).rejects.toMatchObject({
        code: "not_permitted",
        retryable: false,
        isTargetDown: false,
      });
    }
  });
});

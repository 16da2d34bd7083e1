import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RedisSettings } from "../../../src/core/values/connector-settings.ts";
import { commandProblems, isSafeCommand } from "../../../src/core/values/redis-commands.ts";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import type { Send } from "../../../src/connectors/redis/server.ts";
import { never, specFor } from "../support/connector-harness.ts";
import { brokerRules, missingRedis, openRedisHarness, type RedisHarness } from "../support/redis-harness.ts";

leavesNothingBehind();

const reason = missingRedis === undefined ? "" : ` (skipped: ${missingRedis})`;

describe.skipIf(missingRedis !== undefined)(`commands of an action with a real Redis${reason}`, () => {
  let harness: RedisHarness;
  beforeAll(async () => {
    harness = await openRedisHarness();
  });
  afterAll(() => harness.stop());

  const withCommands = (commands: readonly string[], more: Partial<RedisSettings> = {}) =>
    harness.with({ actions: { read: { keys: ["orders:*"], channels: ["orders"], commands } }, ...more });

  /** The commands that a granted user may run, according to the server. */
  async function grantAccess(commands: readonly string[], more: Partial<RedisSettings> = {}) {
    const connector = withCommands(commands, more);
    const spec = specFor(connector);
    await connector.provision(spec, never());
    const { username } = await connector.issue(spec, { expiresAt: spec.notAfter }, never());
    expect(await connector.listManaged(never())).toMatchObject([{ object: spec.object, drift: [] }]);
    const all = (await harness.run("COMMAND", "LIST")) as string[];
    const may: string[] = [];
    const admin = assertPresent(await harness.enter("default", "admin"), "an accepted login");
    for (const command of all) if (await mayRun(admin, username, command)) may.push(command);
    await connector.takeBack(spec, never());
    return may;
  }

  test("every accepted category allows only safe commands, according to the server", async () => {
    const categories = (await harness.run("ACL", "CAT")) as string[];
    const taken = categories
      .flatMap((one) => [[`+@${one}`], [`+@${one}`, "-@dangerous"]])
      .filter((rules) => commandProblems(rules).length === 0);
    expect(taken.length).toBeGreaterThan(20);
    for (const rules of taken) {
      const may = await grantAccess(rules);
      expect({ rules, unsafe: may.filter((one) => !isSafeCommand(one)) }).toEqual({ rules, unsafe: [] });
    }
  }, 60_000);

  test("unsafe commands of a category are removed, even if its rule was accepted", async () => {
    for (const rules of [["+@slow"], ["+@write"], ["+@keyspace"], ["+@fast"]]) {
      const may = await grantAccess(rules);
      expect(may.length).toBeGreaterThan(5);
      expect({ rules, unsafe: may.filter((one) => !isSafeCommand(one)) }).toEqual({ rules, unsafe: [] });
    }
  }, 60_000);

  test("every command of the server is safe, or rejected by name in the configuration", async () => {
    const all = (await harness.run("COMMAND", "LIST")) as string[];
    expect(all.length).toBeGreaterThan(200);
    const neither = all.filter(
      (one) => !isSafeCommand(one) && commandProblems([`+${one}`]).length === 0 && !isContainer(all, one),
    );
    expect(neither).toEqual([]);
  });

  test("a command not known to be safe is not granted, and check and fault name it", async () => {
    for (const [rule, command] of [
      ["+eval", "eval"],
      ["+gett", "gett"],
    ] as const) {
      const connector = withCommands(["+get", rule]);
      await expect(connector.provision(specFor(connector), never())).rejects.toMatchObject({
        code: "refused",
        retryable: false,
        reason: `${command} of the action read is not known to stay within its keys and channels`,
      });
      const whats = (await connector.check(never())).flatMap(({ what, result }) =>
        result === "problem" ? [what] : [],
      );
      expect(whats).toEqual([expect.stringContaining(command)]);
      expect(await connector.listManaged(never())).toEqual([]);
    }
  });

  test("a granted user cannot become root", async () => {
    const connector = withCommands(["+@slow"]);
    const spec = specFor(connector);
    await connector.provision(spec, never());
    const { username, secret } = await connector.issue(spec, { expiresAt: spec.notAfter }, never());
    const send = assertPresent(await harness.enter(username, secret ?? ""), "an accepted login");
    for (const command of [
      ["ACL", "SETUSER", username, "+@all", "~*"],
      ["CONFIG", "SET", "dir", "/tmp"],
      ["EVAL", "return 1", "0"],
      ["FUNCTION", "LOAD", "#!lua name=x\nredis.register_function('x', function() return 1 end)"],
      ["SCRIPT", "LOAD", "return 1"],
      ["RESTORE", "orders:x", "0", "x"],
      ["MIGRATE", "127.0.0.1", "1", "orders:1", "0", "10"],
      ["FLUSHALL"],
      ["SLAVEOF", "127.0.0.1", "1"],
      ["SHUTDOWN"],
      ["MONITOR"],
      ["CLIENT", "KILL", "USER", "default"],
    ]) {
      await expect(send(...command)).rejects.toThrow(/^NOPERM/);
    }
    await connector.takeBack(spec, never());
  });

  test("a broker that may not read categories grants those of Redis itself, and the check says so", async () => {
    const rules = brokerRules.replace(" +acl|cat", "").replace("broker-password", "mute");
    await harness.run("ACL", "SETUSER", "mute", ...rules.split(" "));
    const url = harness.url("mute", "mute");
    const commands = ["+@write", "-@dangerous"];
    const may = await grantAccess(commands, { url });
    expect(may).toContain("set");
    expect(may.filter((one) => !isSafeCommand(one))).toEqual([]);
    const found = await withCommands(commands, { url }).check(never());
    expect(found.filter(({ result }) => result !== "in_order")).toEqual([
      {
        what: expect.stringContaining("hold nothing unsafe on this server is not verified"),
        result: "not_verified",
        fix: "ACL SETUSER mute +acl|cat",
      },
    ]);
    const unheard = withCommands(["+@json"], { url });
    await expect(unheard.provision(specFor(unheard), never())).rejects.toMatchObject({
      code: "not_permitted",
      retryable: false,
    });
  });

  test("the check names commands and categories that the server does not know, and those never granted", async () => {
    const found = await withCommands(["+get", "+gett", "+@nope"]).check(never());
    expect(found.filter(({ result }) => result === "problem")).toEqual([
      {
        what: "The server knows the commands of the action read: it does not know +gett, +@nope",
        result: "problem",
        fix: expect.stringContaining("+gett, +@nope"),
      },
    ]);
    const slow = (await withCommands(["+@slow"]).check(never())).map(({ what }) => what).join("\n");
    expect(slow).toMatch(/never granted: .*flushall/);
  });

  test("a replica, and a server that answers no queries, are not in order", async () => {
    const connector = withCommands(["+get"]);
    const problems = async (by = connector) =>
      (await by.check(never())).flatMap(({ what, result }) => (result === "problem" ? [what] : []));
    expect(await problems()).toEqual([]);
    await harness.run("REPLICAOF", "127.0.0.1", "1");
    expect(await problems()).toEqual([expect.stringContaining("It is no replica (its role is slave)")]);
    await harness.run("REPLICAOF", "NO", "ONE");
    await harness.run(
      "ACL",
      "SETUSER",
      "blind",
      ...brokerRules.replace(" +info", "").replace(">broker", ">b").split(" "),
    );
    const blind = withCommands(["+get"], { url: harness.url("blind", "b-password") });
    expect(await problems(blind)).toEqual(["The broker may use info"]);
    const whats = (await blind.check(never())).map(({ what }) => what).join("\n");
    expect(whats).not.toMatch(/replica|Redis \d/);
  });

  test("aclSave is in order only with an aclfile and the right to save, else not verified", async () => {
    const bare = await openRedisHarness({ hasAclFile: false });
    for (const [own, isInOrder] of [
      [harness, true],
      [bare, false],
    ] as const) {
      await own.run(
        "ACL",
        "SETUSER",
        "saver",
        ...brokerRules.replace(">broker", ">s").split(" "),
        "+acl|save",
      );
      const saver = own.with({ url: own.url("saver", "s-password"), aclSave: true });
      const about = async () =>
        (await saver.check(never())).filter(({ what }) => /aclfile|acl\|save/.test(what));
      expect((await about()).map(({ result, fix }) => ({ result, fix }))).toEqual([
        { result: "not_verified", fix: "ACL SETUSER saver +acl|dryrun" },
        { result: "not_verified", fix: "ACL SETUSER saver +config|get" },
      ]);
      await own.run("ACL", "SETUSER", "saver", "+acl|dryrun", "+config|get");
      const file = isInOrder ? "in_order" : "problem";
      expect((await about()).map(({ result }) => result)).toEqual(["in_order", file]);
      await own.run("ACL", "SETUSER", "saver", "-acl|save");
      expect((await about()).map(({ result }) => result)).toEqual(["problem", file]);
    }
    await bare.stop();
  });

  test("a check changes nothing, even if the broker has all rights", async () => {
    await harness.run("ACL", "SETUSER", "all", "on", ">all", "~*", "&*", "+@all");
    await harness.run("ACL", "SETUSER", "jit:check", "on", ">theirs", "~*", "+@read");
    const state = async () => [await harness.run("ACL", "LIST"), harness.savedUsers()];
    const before = await state();
    const found = await withCommands(["+@read", "+get"], {
      url: harness.url("all", "all"),
      aclSave: true,
    }).check(never());
    expect(found.filter(({ result }) => result !== "in_order")).toEqual([]);
    expect(await state()).toEqual(before);
    for (const user of ["all", "jit:check"]) await harness.run("ACL", "DELUSER", user);
  });
});

/** Commands such as `object`, which need a subcommand. */
function isContainer(all: readonly string[], command: string): boolean {
  return all.some((one) => one.startsWith(`${command}|`));
}

/** Asks the server, which answers only for calls with the right number of arguments. */
async function mayRun(admin: Send, username: string, command: string): Promise<boolean> {
  for (let count = 0; count < 8; count++) {
    const call = [...command.split("|"), ...Array.from({ length: count }, () => "1")];
    const answer = String(await admin("ACL", "DRYRUN", username, ...call).catch(String));
    if (/wrong number of arguments/i.test(answer)) continue;
    // A container such as `acl` is not a command by itself.
    return answer === "OK" || answer.includes("no permissions to access");
  }
  throw new Error(`${command} cannot be tried`);
}

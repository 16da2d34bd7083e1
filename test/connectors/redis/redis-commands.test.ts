import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RedisSettings } from "../../../src/core/values/connector-settings.ts";
import { commandProblems, isSafeCommand } from "../../../src/core/values/redis-commands.ts";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import type { Send } from "../../../src/connectors/redis/server.ts";
import { never, orderFor } from "../support/lab.ts";
import { brokerRules, missingRedis, openRedisHarness, type RedisHarness } from "../support/redis-lab.ts";

leavesNothingBehind();

const reason = missingRedis === undefined ? "" : ` (skipped: ${missingRedis})`;

describe.skipIf(missingRedis !== undefined)(`commands of an action at a real Redis${reason}`, () => {
  let harness: RedisHarness;
  beforeAll(async () => {
    harness = await openRedisHarness();
  });
  afterAll(() => harness.stop());

  const withCommands = (commands: readonly string[], more: Partial<RedisSettings> = {}) =>
    harness.with({ actions: { read: { keys: ["orders:*"], channels: ["orders"], commands } }, ...more });

  /** What a granted user may run, by the server's own word. */
  async function given(commands: readonly string[], more: Partial<RedisSettings> = {}) {
    const connector = withCommands(commands, more);
    const spec = orderFor(connector);
    await connector.provision(spec, never());
    const { username } = await connector.issue(spec, { expiresAt: spec.notAfter }, never());
    expect(await connector.listManaged(never())).toMatchObject([{ object: spec.object, drift: [] }]);
    const all = (await harness.run("COMMAND", "LIST")) as string[];
    const may: string[] = [];
    const admin = assertPresent(await harness.enter("default", "admin"), "an open door");
    for (const command of all) if (await mayRun(admin, username, command)) may.push(command);
    await connector.takeBack(spec, never());
    return may;
  }

  test("every category the configuration takes gives safe commands only, by the server's own word", async () => {
    const categories = (await harness.run("ACL", "CAT")) as string[];
    const taken = categories
      .flatMap((one) => [[`+@${one}`], [`+@${one}`, "-@dangerous"]])
      .filter((rules) => commandProblems(rules).length === 0);
    expect(taken.length).toBeGreaterThan(20);
    for (const rules of taken) {
      const may = await given(rules);
      expect({ rules, unsafe: may.filter((one) => !isSafeCommand(one)) }).toEqual({ rules, unsafe: [] });
    }
  }, 60_000);

  test("what a category holds beyond safe commands is taken out, also when nobody has refused the rule", async () => {
    for (const rules of [["+@slow"], ["+@write"], ["+@keyspace"], ["+@fast"]]) {
      const may = await given(rules);
      expect(may.length).toBeGreaterThan(5);
      expect({ rules, unsafe: may.filter((one) => !isSafeCommand(one)) }).toEqual({ rules, unsafe: [] });
    }
  }, 60_000);

  test("every command of the server is safe, or refused by its name in the configuration", async () => {
    const all = (await harness.run("COMMAND", "LIST")) as string[];
    expect(all.length).toBeGreaterThan(200);
    const neither = all.filter(
      (one) => !isSafeCommand(one) && commandProblems([`+${one}`]).length === 0 && !isContainer(all, one),
    );
    expect(neither).toEqual([]);
  });

  test("a command that is not known to be safe is not given, and check and fault name it", async () => {
    for (const [rule, command] of [
      ["+eval", "eval"],
      ["+gett", "gett"],
    ] as const) {
      const connector = withCommands(["+get", rule]);
      await expect(connector.provision(orderFor(connector), never())).rejects.toMatchObject({
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

  test("a granted user who tries to become root is told no", async () => {
    const connector = withCommands(["+@slow"]);
    const spec = orderFor(connector);
    await connector.provision(spec, never());
    const { username, secret } = await connector.issue(spec, { expiresAt: spec.notAfter }, never());
    const send = assertPresent(await harness.enter(username, secret ?? ""), "an open door");
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

  test("a broker that may not ask gives what is known of Redis' own categories, and the check says so", async () => {
    const rules = brokerRules.replace(" +acl|cat", "").replace("broker-password", "mute");
    await harness.run("ACL", "SETUSER", "mute", ...rules.split(" "));
    const url = harness.url("mute", "mute");
    const commands = ["+@write", "-@dangerous"];
    const may = await given(commands, { url });
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
    await expect(unheard.provision(orderFor(unheard), never())).rejects.toMatchObject({
      code: "not_permitted",
      retryable: false,
    });
  });

  test("the check names a command and a category that the server does not know, and what it never gives", async () => {
    const found = await withCommands(["+get", "+gett", "+@nope"]).check(never());
    expect(found.filter(({ result }) => result === "problem")).toEqual([
      {
        what: "The server knows the commands of the action read: it does not know +gett, +@nope",
        result: "problem",
        fix: expect.stringContaining("+gett, +@nope"),
      },
    ]);
    const slow = (await withCommands(["+@slow"]).check(never())).map(({ what }) => what).join("\n");
    expect(slow).toMatch(/never given of them: .*flushall/);
  });

  test("a replica, and a server of which nothing may be asked, are not called in order", async () => {
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

  test("aclSave is in order only with an aclfile and the right to save, and otherwise not verified", async () => {
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

  test("a check changes nothing, not even at a server whose broker may do everything", async () => {
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

/** Such as `object`, which is nothing without a subcommand. */
function isContainer(all: readonly string[], command: string): boolean {
  return all.some((one) => one.startsWith(`${command}|`));
}

/** By the server's own word. It judges only calls with the right number of arguments. */
async function mayRun(admin: Send, username: string, command: string): Promise<boolean> {
  for (let count = 0; count < 8; count++) {
    const call = [...command.split("|"), ...Array.from({ length: count }, () => "1")];
    const answer = String(await admin("ACL", "DRYRUN", username, ...call).catch(String));
    if (/wrong number of arguments/i.test(answer)) continue;
    // A container such as `acl` is no command by itself.
    return answer === "OK" || answer.includes("no permissions to access");
  }
  throw new Error(`${command} cannot be tried`);
}

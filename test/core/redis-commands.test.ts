import { describe, expect, test } from "vitest";
import { commandProblems, isSafeCommand, unknownCommands } from "../../src/core/values/redis-commands.ts";

const placesOf = (...rules: readonly string[]): readonly number[] =>
  commandProblems(rules).map(({ index }) => index);

describe("commands of an action at Redis", () => {
  test.each(
    `+@all +@admin +@dangerous +@scripting +@write +@keyspace +@slow +@fast
     +acl +acl|setuser +acl|load +config +config|set +config|get +debug +debug|sleep +module +module|load +shutdown +save
     +bgsave +replicaof +slaveof +failover +psync +sync +replconf +cluster +cluster|failover +cluster|setslot
     +eval +evalsha +eval_ro +fcall +script +script|load +script|flush +function +function|load +function|restore
     +restore +restore-asking +migrate +flushall +flushdb +swapdb +monitor +slowlog +slowlog|get +latency
     +client +client|kill +client|pause +client|list +client|no-evict +role +lastsave +pfdebug`.split(/\s+/),
  )("%s is refused with a reason, also after everything was removed", (rule) => {
    for (const rules of [[rule], ["-@all", "+get", rule]]) {
      const problems = commandProblems(rules);
      expect(problems.map(({ index }) => index)).toEqual([rules.length - 1]);
      expect(problems[0]?.message).toMatch(/^(is never given: it|gives )/);
    }
  });

  test.each(
    `+get +set +keys +scan +sort +info +publish +subscribe +xread +json.get +memory|usage +object|encoding +client|id
     +@read +@string +@hash +@list +@set +@sortedset +@stream +@pubsub +@geo +@bitmap +@hyperloglog +@blocking
     +@connection +@transaction +@json -@all -eval -@dangerous`.split(/\s+/),
  )("%s is allowed", (rule) => {
    expect(commandProblems([rule])).toEqual([]);
  });

  test("an unknown command is left to the check and the claim, which refuse it", () => {
    const rules = ["+get", "+ft.search", "+gett", "-some.other", "+@json"];
    expect(commandProblems(rules)).toEqual([]);
    expect(unknownCommands(rules)).toEqual(["ft.search", "gett"]);
    expect(unknownCommands(["+eval", "+client|id", "+client|kill", "+@slow"])).toEqual([
      "eval",
      "client|kill",
    ]);
  });

  test("later rules override earlier ones, as in Redis", () => {
    expect(placesOf("+@write", "-@dangerous")).toEqual([]);
    expect(placesOf("-@dangerous", "+@write")).toEqual([1]);
    expect(placesOf("+@write", "-@dangerous", "+@keyspace")).toEqual([2]);
    expect(placesOf("+@slow", "-@write")).toEqual([]);
    expect(placesOf("+@fast", "-swapdb")).toEqual([]);
    expect(placesOf("+@write", "-flushall", "-flushdb")).toEqual([0]);
    expect(placesOf("+@write", "-@all", "+get")).toEqual([]);
  });

  test("a rule that grants too much is reported with the commands and what to add", () => {
    expect(commandProblems(["+@write"])).toEqual([
      {
        index: 0,
        message:
          'gives flushall, flushdb, migrate, restore, restore-asking, swapdb, which reach beyond the keys of the action; add "-@dangerous" after it',
      },
    ]);
  });

  test("a subcommand is safe by itself, or because its command is", () => {
    expect(
      ["client|id", "memory|usage", "get|first", "select|0"].filter((command) => !isSafeCommand(command)),
    ).toEqual([]);
    expect(["client|kill", "config|get", "acl|setuser", "config", "", "|get"].filter(isSafeCommand)).toEqual(
      [],
    );
  });
});

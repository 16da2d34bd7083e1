/**
 * Which Redis commands an action may give. A user that is granted `orders:*` must stay within these keys: no command
 * that administers the server, runs code there, or reaches keys that the pattern does not name.
 */

/** A rule of an action that gives too much, by its place in the list. */
export interface CommandProblem {
  readonly index: number;
  readonly message: string;
}

/** Written after the rules of every action, so that no category gives what came into it with a newer server. */
export const alwaysTakenOut = ["-@admin", "-@scripting"] as const;

const names = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Held to the key and channel patterns of a user by the server itself, or harmless. Redis 7.0 to 8, Valkey 7.2 to 9. */
const safeCommands: ReadonlySet<string> = new Set([
  ...names(`acl|cat acl|genpass acl|help acl|whoami append asking auth bitcount bitfield bitfield_ro bitop bitpos blmove
    blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin client|caching client|capa client|getname client|getredir
    client|help client|id client|info client|no-touch client|reply client|setinfo client|setname client|tracking
    client|trackinginfo cluster|countkeysinslot cluster|getkeysinslot cluster|help cluster|info cluster|keyslot
    cluster|links cluster|myid cluster|myshardid cluster|nodes cluster|shards cluster|slots command command|count
    command|docs command|getkeys command|getkeysandflags command|help command|info command|list config|help copy dbsize
    decr decrby del delex delifeq digest discard dump echo exec exists expire expireat expiretime function|help`),
  ...names(`geoadd geodist geohash geopos georadius georadius_ro georadiusbymember georadiusbymember_ro geosearch
    geosearchstore get getbit getdel getex getrange getset hdel hello hexists hexpire hexpireat hexpiretime hget hgetall
    hgetdel hgetex hincrby hincrbyfloat hkeys hlen hmget hmset hpersist hpexpire hpexpireat hpexpiretime hpttl hrandfield
    hscan hset hsetex hsetnx hstrlen httl hvals incr incrby incrbyfloat info keys latency|help lcs lindex linsert llen
    lmove lmpop lolwut lpop lpos lpush lpushx lrange lrem lset ltrim memory memory|doctor memory|help
    memory|malloc-stats memory|purge memory|stats memory|usage mget module|help move mset msetex msetnx multi`),
  ...names(`object object|encoding object|freq object|help object|idletime object|refcount persist pexpire pexpireat
    pexpiretime pfadd pfcount pfmerge ping psetex psubscribe pttl publish pubsub pubsub|channels pubsub|help
    pubsub|numpat pubsub|numsub pubsub|shardchannels pubsub|shardnumsub punsubscribe quit randomkey readonly readwrite
    rename renamenx reset rpop rpoplpush rpush rpushx sadd scan scard script|help sdiff sdiffstore select set setbit
    setex setnx setrange sinter sintercard sinterstore sismember slowlog|help smembers smismember smove sort sort_ro
    spop spublish srandmember srem sscan ssubscribe strlen subscribe substr sunion sunionstore sunsubscribe time touch
    ttl type unlink unsubscribe unwatch wait waitaof watch`),
  ...names(`vadd vcard vdim vemb vgetattr vinfo vismember vlinks vrandmember vrange vrem vsetattr vsim xack xackdel xadd
    xautoclaim xclaim xdel xdelex xgroup xgroup|create xgroup|createconsumer xgroup|delconsumer xgroup|destroy
    xgroup|help xgroup|setid xinfo xinfo|consumers xinfo|groups xinfo|help xinfo|stream xlen xpending xrange xread
    xreadgroup xrevrange xsetid xtrim zadd zcard zcount zdiff zdiffstore zincrby zinter zintercard zinterstore zlexcount
    zmpop zmscore zpopmax zpopmin zrandmember zrange zrangebylex zrangebyscore zrangestore zrank zrem zremrangebylex
    zremrangebyrank zremrangebyscore zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore zunion
    zunionstore`),
  ...names(`json.arrappend json.arrindex json.arrinsert json.arrlen json.arrpop json.arrtrim json.clear json.del
    json.forget json.get json.merge json.mget json.mset json.numincrby json.nummultby json.objkeys json.objlen
    json.resp json.set json.strappend json.strlen json.toggle json.type`),
]);

const wholeKeyspace = ["flushall", "flushdb", "migrate", "restore", "restore-asking"];
/** What is left of a category beyond safe commands once {@link alwaysTakenOut} has been taken out. */
const unsafeIn: ReadonlyMap<string, readonly string[]> = new Map([
  ["keyspace", [...wholeKeyspace, "swapdb"]],
  ["write", [...wholeKeyspace, "swapdb"]],
  ["dangerous", [...wholeKeyspace, "swapdb"]],
  ["slow", wholeKeyspace],
  ["fast", ["swapdb"]],
]);

/** Categories of every server. What is in another, such as one of a module, only the server can say. */
const knownCategories: ReadonlySet<string> = new Set(
  names(`keyspace read write set sortedset list hash string bitmap hyperloglog geo stream pubsub admin fast slow blocking
    dangerous connection transaction scripting`),
);
const neverCategories: ReadonlySet<string> = new Set(["all", "admin", "dangerous", "scripting"]);

/** Why a command is not given, by the first part of its name. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/^(eval|evalsha|fcall|script|function)(_ro)?$/, "runs code on the server"],
  [/^restore(-asking)?$/, "writes raw values, which can take over the server"],
  [/^(flushall|flushdb|swapdb|migrate)$/, "reaches every key of the server"],
  [/^(monitor|slowlog|latency|client)$/, "shows or steers what others do"],
  [
    /^(acl|config|debug|module|replicaof|slaveof|cluster|shutdown|failover|psync|sync|replconf|save|bgsave|bgrewriteaof|role|lastsave|pfdebug|pfselftest)$/,
    "administers the server",
  ],
];

/** Whether a command, or a subcommand such as `client|id`, may be given. */
export function isSafeCommand(command: string): boolean {
  // A command may be narrowed to a first argument: what the whole may, the part may.
  const [whole = ""] = command.split("|", 1);
  return safeCommands.has(command) || safeCommands.has(whole);
}

/** Whether the content of this category is known without asking the server. */
export function isKnownCategory(category: string): boolean {
  return knownCategories.has(category);
}

/** The rules that give more than they may, as far as that can be told without the server. In Redis' order: the last counts. */
export function commandProblems(rules: readonly string[]): readonly CommandProblem[] {
  const problems: CommandProblem[] = [];
  /** Unsafe commands that are given so far, with the rule that gave each. */
  const given = new Map<string, number>();
  for (const [index, rule] of rules.entries()) {
    const isGiven = rule.startsWith("+");
    const isCategory = rule.startsWith("@", 1);
    const name = rule.slice(isCategory ? 2 : 1);
    const message = isGiven ? (isCategory ? categoryProblem(name) : namedProblem(name)) : undefined;
    if (message !== undefined) problems.push({ index, message });
    const touched = isCategory ? unsafeAmong(name) : [name];
    for (const command of touched) {
      if (!isGiven) given.delete(command);
      else if (isCategory) given.set(command, index);
    }
  }
  const rulesThatGive = new Set(
    [...given.values()].filter((index) => categoryProblem(rules[index]?.slice(2) ?? "") === undefined),
  );
  for (const index of rulesThatGive) {
    const commands = [...given].flatMap(([command, by]) => (by === index ? [command] : []));
    problems.push({
      index,
      message: `gives ${commands.join(", ")}, which reach beyond the keys of the action; add "-@dangerous" after it`,
    });
  }
  return problems;
}

function categoryProblem(category: string): string | undefined {
  return neverCategories.has(category)
    ? "is never given: it holds commands that take over the server"
    : undefined;
}

/** Undefined also for a command nobody here knows: it may be of a module, and is refused at the claim (unknownCommands). */
function namedProblem(command: string): string | undefined {
  if (isSafeCommand(command)) return undefined;
  const [whole = ""] = command.split("|", 1);
  const reason = reasons.find(([pattern]) => pattern.test(whole))?.[1];
  return reason === undefined ? undefined : `is never given: it ${reason}`;
}

/** Commands that rules give by name and that are not known to be safe. They are not given, whatever the server says. */
export function unknownCommands(rules: readonly string[]): readonly string[] {
  return rules
    .filter((rule) => /^\+[^@]/.test(rule))
    .map((rule) => rule.slice(1))
    .filter((command) => !isSafeCommand(command));
}

function unsafeAmong(category: string): readonly string[] {
  return category === "all" ? (unsafeIn.get("dangerous") ?? []) : (unsafeIn.get(category) ?? []);
}

/**
 * Which Redis commands an action may grant. A user with the keys `orders:*` must stay within them: no command that
 * administers the server, runs code there, or reaches other keys.
 */

/** A rule of an action that grants too much, by its index in the list. */
export interface CommandProblem {
  readonly index: number;
  readonly message: string;
}

/**
 * Appended to the rules of every action. Without it, commands that a newer server adds to a category would be
 * granted.
 */
export const alwaysRemoved = ["-@admin", "-@scripting"] as const;

const splitNames = (text: string): readonly string[] => text.trim().split(/\s+/);

/**
 * Commands that the server restricts to a user's key and channel patterns, or harmless ones. Redis 7.0 to 8, Valkey
 * 7.2 to 9.
 */
const safeCommands: ReadonlySet<string> = new Set([
  ...splitNames(`acl|cat acl|genpass acl|help acl|whoami append asking auth bitcount bitfield bitfield_ro bitop bitpos blmove
    blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin client|caching client|capa client|getname client|getredir
    client|help client|id client|info client|no-touch client|reply client|setinfo client|setname client|tracking
    client|trackinginfo cluster|countkeysinslot cluster|getkeysinslot cluster|help cluster|info cluster|keyslot
    cluster|links cluster|myid cluster|myshardid cluster|nodes cluster|shards cluster|slots command command|count
    command|docs command|getkeys command|getkeysandflags command|help command|info command|list config|help copy dbsize
    decr decrby del delex delifeq digest discard dump echo exec exists expire expireat expiretime function|help`),
  ...splitNames(`geoadd geodist geohash geopos georadius georadius_ro georadiusbymember georadiusbymember_ro geosearch
    geosearchstore get getbit getdel getex getrange getset hdel hello hexists hexpire hexpireat hexpiretime hget hgetall
    hgetdel hgetex hincrby hincrbyfloat hkeys hlen hmget hmset hpersist hpexpire hpexpireat hpexpiretime hpttl hrandfield
    hscan hset hsetex hsetnx hstrlen httl hvals incr incrby incrbyfloat info keys latency|help lcs lindex linsert llen
    lmove lmpop lolwut lpop lpos lpush lpushx lrange lrem lset ltrim memory memory|doctor memory|help
    memory|malloc-stats memory|purge memory|stats memory|usage mget module|help move mset msetex msetnx multi`),
  ...splitNames(`object object|encoding object|freq object|help object|idletime object|refcount persist pexpire pexpireat
    pexpiretime pfadd pfcount pfmerge ping psetex psubscribe pttl publish pubsub pubsub|channels pubsub|help
    pubsub|numpat pubsub|numsub pubsub|shardchannels pubsub|shardnumsub punsubscribe quit randomkey readonly readwrite
    rename renamenx reset rpop rpoplpush rpush rpushx sadd scan scard script|help sdiff sdiffstore select set setbit
    setex setnx setrange sinter sintercard sinterstore sismember slowlog|help smembers smismember smove sort sort_ro
    spop spublish srandmember srem sscan ssubscribe strlen subscribe substr sunion sunionstore sunsubscribe time touch
    ttl type unlink unsubscribe unwatch wait waitaof watch`),
  ...splitNames(`vadd vcard vdim vemb vgetattr vinfo vismember vlinks vrandmember vrange vrem vsetattr vsim xack xackdel xadd
    xautoclaim xclaim xdel xdelex xgroup xgroup|create xgroup|createconsumer xgroup|delconsumer xgroup|destroy
    xgroup|help xgroup|setid xinfo xinfo|consumers xinfo|groups xinfo|help xinfo|stream xlen xpending xrange xread
    xreadgroup xrevrange xsetid xtrim zadd zcard zcount zdiff zdiffstore zincrby zinter zintercard zinterstore zlexcount
    zmpop zmscore zpopmax zpopmin zrandmember zrange zrangebylex zrangebyscore zrangestore zrank zrem zremrangebylex
    zremrangebyrank zremrangebyscore zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore zunion
    zunionstore`),
  ...splitNames(`json.arrappend json.arrindex json.arrinsert json.arrlen json.arrpop json.arrtrim json.clear json.del
    json.forget json.get json.merge json.mget json.mset json.numincrby json.nummultby json.objkeys json.objlen
    json.resp json.set json.strappend json.strlen json.toggle json.type`),
]);

const keyspaceCommands = ["flushall", "flushdb", "migrate", "restore", "restore-asking"];
/** Unsafe commands of each category that {@link alwaysRemoved} does not remove. */
const unsafeIn: ReadonlyMap<string, readonly string[]> = new Map([
  ["keyspace", [...keyspaceCommands, "swapdb"]],
  ["write", [...keyspaceCommands, "swapdb"]],
  ["dangerous", [...keyspaceCommands, "swapdb"]],
  ["slow", keyspaceCommands],
  ["fast", ["swapdb"]],
]);

/** Categories that every server has. Only the server knows what another one contains, such as a module's. */
const knownCategories: ReadonlySet<string> = new Set(
  splitNames(`keyspace read write set sortedset list hash string bitmap hyperloglog geo stream pubsub admin fast slow blocking
    dangerous connection transaction scripting`),
);
const forbiddenCategories: ReadonlySet<string> = new Set(["all", "admin", "dangerous", "scripting"]);

/** Why a command is never granted, by the first part of its name. */
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

/** Whether a command, or a subcommand such as `client|id`, may be granted. */
export function isSafeCommand(command: string): boolean {
  // A rule may restrict a command to a first argument: what is safe as a whole is safe in part.
  const [baseCommand = ""] = command.split("|", 1);
  return safeCommands.has(command) || safeCommands.has(baseCommand);
}

/** Whether we know what the category contains without asking the server. */
export function isKnownCategory(category: string): boolean {
  return knownCategories.has(category);
}

/**
 * Finds rules that grant too much, as far as this is known without the server. As in Redis, later rules override
 * earlier ones.
 */
export function commandProblems(rules: readonly string[]): readonly CommandProblem[] {
  const problems: CommandProblem[] = [];
  /** Unsafe commands granted so far, with the rule that granted each. */
  const unsafeGranted = new Map<string, number>();
  for (const [index, rule] of rules.entries()) {
    const isGrant = rule.startsWith("+");
    const isCategory = rule.startsWith("@", 1);
    const name = rule.slice(isCategory ? 2 : 1);
    const message = isGrant ? (isCategory ? categoryProblem(name) : commandProblem(name)) : undefined;
    if (message !== undefined) problems.push({ index, message });
    const affected = isCategory ? unsafeCommandsIn(name) : [name];
    for (const command of affected) {
      if (!isGrant) unsafeGranted.delete(command);
      else if (isCategory) unsafeGranted.set(command, index);
    }
  }
  const grantingRules = new Set(
    [...unsafeGranted.values()].filter(
      (index) => categoryProblem(rules[index]?.slice(2) ?? "") === undefined,
    ),
  );
  for (const index of grantingRules) {
    const commands = [...unsafeGranted].flatMap(([command, by]) => (by === index ? [command] : []));
    problems.push({
      index,
      message: `gives ${commands.join(", ")}, which reach beyond the keys of the action; add "-@dangerous" after it`,
    });
  }
  return problems;
}

function categoryProblem(category: string): string | undefined {
  return forbiddenCategories.has(category)
    ? "is never given: it holds commands that take over the server"
    : undefined;
}

/**
 * Undefined also for a command we do not know: it may belong to a module, and the claim refuses it (unknownCommands).
 */
function commandProblem(command: string): string | undefined {
  if (isSafeCommand(command)) return undefined;
  const [baseCommand = ""] = command.split("|", 1);
  const reason = reasons.find(([pattern]) => pattern.test(baseCommand))?.[1];
  return reason === undefined ? undefined : `is never given: it ${reason}`;
}

/** Commands that rules name and that are not known to be safe. They are never granted, whatever the server says. */
export function unknownCommands(rules: readonly string[]): readonly string[] {
  return rules
    .filter((rule) => /^\+[^@]/.test(rule))
    .map((rule) => rule.slice(1))
    .filter((command) => !isSafeCommand(command));
}

function unsafeCommandsIn(category: string): readonly string[] {
  return category === "all" ? (unsafeIn.get("dangerous") ?? []) : (unsafeIn.get(category) ?? []);
}

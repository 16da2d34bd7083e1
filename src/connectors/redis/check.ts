import { ErrorReply } from "redis";
import type { RedisSettings } from "../../core/values/connector-settings.ts";
import type { Instant } from "../../core/values/ids.ts";
import { alwaysRemoved, unknownCommands } from "../../core/values/redis-commands.ts";
import type { CheckFinding } from "../../service/ports/connector.ts";
import { finding, notVerified } from "../shared/check-finding.ts";
import { clockFinding } from "../shared/check-clock.ts";
import { contentOf } from "./command-categories.ts";
import type { Send } from "./server.ts";

/** Rights and label are in selectors, which exist since 7.0. */
const versionMin = 7;
/** No user can have this name, because of the space, so commands on it change nothing. */
const impossibleUser = "jit check";
/** Rules are tested on this user together with an invalid one, so that the server applies none of them. */
const testUser = "jit:check";
const invalidRule = "no-such-rule";

/** Checks everything that a grant needs, with commands that change nothing. */
export async function checkRedis(
  send: Send,
  settings: RedisSettings,
  now: () => Instant,
): Promise<readonly CheckFinding[]> {
  const ask = (...command: readonly string[]) => answerOf(send, command);
  const me = brokerOf(settings.url);
  const may = (right: string, answer: unknown): CheckFinding =>
    finding(`The broker may use ${right}`, answer !== denied, `ACL SETUSER ${me} +${right}`);
  const server = await ask("INFO", "server");
  const before = now();
  const time = await ask("TIME");
  const after = now();
  const [seconds, microseconds] = Array.isArray(time) ? time.map(Number) : [];
  return [
    may("info", server),
    ...(server === denied ? [] : serverFindings(String(server), String(await ask("INFO", "replication")))),
    may("time", time),
    ...(seconds === undefined
      ? []
      : [clockFinding(seconds * 1_000 + (microseconds ?? 0) / 1_000, before, after)]),
    may("acl|list", await ask("ACL", "LIST")),
    may("acl|setuser", await ask("ACL", "SETUSER", testUser, invalidRule)),
    may("acl|deluser", await ask("ACL", "DELUSER", impossibleUser)),
    may("client|kill", await ask("CLIENT", "KILL", "USER", impossibleUser)),
    ...(settings.aclSave ? await saveFindings(ask, me) : []),
    ...(await actionFindings(send, settings, me)),
  ];
}

/** The user of the broker; without one in the url, Redis uses its default user. */
function brokerOf(url: string): string {
  const { username } = new URL(url);
  return username === "" ? "default" : decodeURIComponent(username);
}

function serverFindings(server: string, replication: string): readonly CheckFinding[] {
  const version = /(?:redis|valkey)_version:(\S+)/.exec(server)?.[1] ?? "of unknown version";
  const role = /^role:(\S+)/m.exec(replication)?.[1] ?? "unknown";
  const isMaster = role === "master";
  return [
    finding(`Redis ${version}`, Number.parseInt(version, 10) >= versionMin),
    finding(
      `It is no replica (its role is ${role}): a replica keeps users of its own`,
      isMaster,
      "Point url at the primary.",
    ),
  ];
}

/** Does not run ACL SAVE, because that would also save changes of others that are not meant to be kept. */
async function saveFindings(ask: SendCommand, me: string): Promise<readonly CheckFinding[]> {
  const save = await ask("ACL", "DRYRUN", me, "ACL", "SAVE");
  const file = await ask("CONFIG", "GET", "aclfile");
  return [
    save === denied
      ? notVerified(
          "That the broker may use acl|save",
          "it may not use acl|dryrun",
          `ACL SETUSER ${me} +acl|dryrun`,
        )
      : finding("The broker may use acl|save", save === "OK", `ACL SETUSER ${me} +acl|save`),
    file === denied
      ? notVerified(
          "That the server has an aclfile, which aclSave needs,",
          "the broker may not use config|get",
          `ACL SETUSER ${me} +config|get`,
        )
      : finding(
          "The server has an aclfile, which aclSave needs",
          Array.isArray(file) && String(file[1] ?? "") !== "",
          "# redis.conf: aclfile /etc/redis/users.acl, then restart it; or leave aclSave away",
        ),
  ];
}

/** Checks for each action that the server knows its rules, and what its categories contain there. */
async function actionFindings(
  send: Send,
  { actions }: RedisSettings,
  me: string,
): Promise<readonly CheckFinding[]> {
  const found: CheckFinding[] = [];
  for (const [action, { commands }] of Object.entries(actions)) {
    const unknown: string[] = [];
    for (const rule of commands) if (!(await isKnownRule(send, rule))) unknown.push(rule);
    const what = `The server knows the commands of the action ${action}`;
    const list = unknown.join(", ");
    found.push(
      finding(
        unknown.length === 0 ? what : `${what}: it does not know ${list}`,
        unknown.length === 0,
        `# configuration: take ${list} out of the action ${action}, or correct it`,
      ),
    );
    const unsafe = unknownCommands(commands).filter((command) => !unknown.includes(`+${command}`));
    if (unsafe.length > 0) {
      const known = `The commands of the action ${action} are known to stay within its keys and channels`;
      const fix = `# configuration: take +${unsafe.join(", +")} out of the action ${action}`;
      found.push(finding(`${known}: not ${unsafe.join(", ")}`, false, fix));
    }
    const isByCategory = commands.some((rule) => rule.startsWith("+@"));
    if (isByCategory && unknown.length === 0) found.push(await categoryFinding(send, action, commands, me));
  }
  return found;
}

async function categoryFinding(
  send: Send,
  action: string,
  commands: readonly string[],
  me: string,
): Promise<CheckFinding> {
  const { unsafe, isAsked } = await contentOf(send, [...commands, ...alwaysRemoved]);
  const what = `That the categories of the action ${action} hold nothing unsafe on this server`;
  if (!isAsked) {
    return notVerified(what, "the broker may not use acl|cat", `ACL SETUSER ${me} +acl|cat`);
  }
  const known = `The categories of the action ${action} were looked up`;
  return finding(unsafe.length === 0 ? known : `${known}; never granted: ${unsafe.join(", ")}`, true);
}

/** Whether the server knows this rule: then its error is about the invalid rule after it. */
async function isKnownRule(send: Send, rule: string): Promise<boolean> {
  const answer = await answerOf(send, ["ACL", "SETUSER", testUser, rule, invalidRule]);
  return answer === denied || !String(answer).includes(`'${rule}'`);
}

type SendCommand = (...command: readonly string[]) => Promise<unknown>;

const denied = Symbol("denied");

/** The reply, the text of an error, or `denied` when the broker may not run the command. */
async function answerOf(send: Send, command: readonly string[]): Promise<unknown> {
  try {
    return await send(...command);
  } catch (error) {
    if (!(error instanceof ErrorReply)) throw error;
    return error.message.startsWith("NOPERM") ? denied : error.message;
  }
}

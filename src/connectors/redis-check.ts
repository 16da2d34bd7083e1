import { ErrorReply } from "redis";
import type { Instant } from "../core/ids.ts";
import type { CheckFinding } from "../service/connector.ts";
import { finding } from "./check-finding.ts";
import { clockFinding } from "./clock-finding.ts";
import type { Send } from "./redis-server.ts";

/** Selectors, which hold rights and label, came with 7.0. */
const versionMin = 7;

/** Asks for what a grant will need in ways that change nothing. */
export async function checkRedis(
  send: Send,
  aclSave: boolean,
  now: () => Instant,
): Promise<readonly CheckFinding[]> {
  const me = String(await allowed(send, "ACL", "WHOAMI"));
  const may = async (right: string, ...command: readonly string[]): Promise<CheckFinding> => {
    const isAllowed = (await allowed(send, ...command)) !== denied;
    return finding(`The broker may use ${right}`, isAllowed, `ACL SETUSER ${me} +${right}`);
  };
  const server = String(await allowed(send, "INFO", "server"));
  const version = /(?:redis|valkey)_version:(\S+)/.exec(server)?.[1] ?? "of unknown version";
  const replication = String(await allowed(send, "INFO", "replication"));
  const before = now();
  const time = await allowed(send, "TIME");
  const [seconds, microseconds] = Array.isArray(time) ? time.map(Number) : [];
  return [
    await may("info", "INFO", "server"),
    finding(`Redis ${version}`, Number.parseInt(version, 10) >= versionMin),
    finding("It is no replica: a replica keeps users of its own", !replication.includes("role:slave")),
    await may("time", "TIME"),
    ...(seconds === undefined
      ? []
      : [clockFinding(seconds * 1_000 + (microseconds ?? 0) / 1_000, before, now())]),
    await may("acl|list", "ACL", "LIST"),
    // A rule that does not exist: whoever may use the command is told so, and nothing is changed.
    await may("acl|setuser", "ACL", "SETUSER", "jit:check", "no-such-rule"),
    await may("acl|deluser", "ACL", "DELUSER", "jit:check"),
    await may("client|kill", "CLIENT", "KILL", "USER", "jit:check"),
    ...(aclSave ? [await may("acl|save", "ACL", "SAVE")] : []),
  ];
}

const denied = Symbol("denied");

async function allowed(send: Send, ...command: readonly string[]): Promise<unknown> {
  try {
    return await send(...command);
  } catch (error) {
    if (!(error instanceof ErrorReply)) throw error;
    return error.message.startsWith("NOPERM") ? denied : error.message;
  }
}

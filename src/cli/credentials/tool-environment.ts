import type { CredentialTarget } from "../api/api-schemas.ts";

/** What a command's environment gets, and what it must not keep of ours: it would lead the tool elsewhere. */
export interface ToolEnvironment {
  readonly set: Readonly<Record<string, string>>;
  readonly unset: readonly string[];
  /** For a person: why a tool has to be told by hand. */
  readonly notes: readonly string[];
}

interface Tool {
  readonly names: string;
  readonly unset: readonly string[];
  readonly of: (target: CredentialTarget) => Readonly<Record<string, string>>;
}

/** By the kind of target: the variables from which its usual tools take address, user and secret. */
const tools: Readonly<Record<string, Tool>> = {
  postgres: {
    names: "PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD",
    unset: ["PGHOSTADDR", "PGSERVICE"],
    of: ({ where, username, secret }) => {
      const [, host = "", port = "", database = ""] = /^(.+):(\d+)\/(.*)$/.exec(where) ?? [];
      const place = { PGHOST: host, PGPORT: port, PGDATABASE: database };
      return { ...(host !== "" && place), PGUSER: username, PGPASSWORD: secret ?? "" };
    },
  },
  redis: { names: "REDISCLI_AUTH", unset: [], of: ({ secret }) => ({ REDISCLI_AUTH: secret ?? "" }) },
};

/** Two targets of one kind cannot share a tool's variables, so then they stay as they are. */
export function toolEnvironment(targets: readonly CredentialTarget[]): ToolEnvironment {
  const set: Record<string, string> = {};
  const unset: string[] = [];
  const notes: string[] = [];
  for (const [kind, tool] of Object.entries(tools)) {
    const [first, ...more] = targets.filter((one) => one.kind === kind && one.secret !== null);
    if (first === undefined) continue;
    if (more.length > 0) {
      const connectors = [first, ...more].map(({ connector }) => connector).join(" and ");
      notes.push(`${connectors} are of one kind: ${tool.names} cannot be set for both, use JIT_TARGET_….`);
      continue;
    }
    Object.assign(set, tool.of(first));
    unset.push(...tool.unset);
  }
  return { set, unset, notes };
}

/** Without the question for a password that the environment answers. */
export function commandForTools({ kind, command }: CredentialTarget): string | null {
  return kind === "redis" ? (command?.replace(/ --askpass$/, "") ?? null) : command;
}

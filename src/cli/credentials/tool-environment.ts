import type { CredentialTarget } from "../api/api-schemas.ts";

/** Variables to set for a command's tools, and variables to remove because they would redirect a tool. */
export interface ToolEnvironment {
  readonly set: Readonly<Record<string, string>>;
  readonly unset: readonly string[];
  /** For a person: why a tool has to be configured by hand. */
  readonly notes: readonly string[];
}

interface Tool {
  readonly names: string;
  readonly unset: readonly string[];
  readonly of: (target: CredentialTarget) => Readonly<Record<string, string>>;
}

/** The variables from which the usual tools of a target read address, user and secret, by kind of target. */
const tools: Readonly<Record<string, Tool>> = {
  postgres: {
    names: "PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD",
    unset: ["PGHOSTADDR", "PGSERVICE"],
    of: ({ where, username, secret }) => {
      const [, host = "", port = "", database = ""] = /^(.+):(\d+)\/(.*)$/.exec(where) ?? [];
      const address = { PGHOST: host, PGPORT: port, PGDATABASE: database };
      return { ...(host !== "" && address), PGUSER: username, PGPASSWORD: secret ?? "" };
    },
  },
  redis: { names: "REDISCLI_AUTH", unset: [], of: ({ secret }) => ({ REDISCLI_AUTH: secret ?? "" }) },
};

/** The variables for the tools of these targets. Two targets of one kind get none, because a tool has one set. */
export function toolEnvironment(targets: readonly CredentialTarget[]): ToolEnvironment {
  const set: Record<string, string> = {};
  const unset: string[] = [];
  const notes: string[] = [];
  for (const [kind, tool] of Object.entries(tools)) {
    const [first, ...others] = targets.filter((target) => target.kind === kind && target.secret !== null);
    if (first === undefined) continue;
    if (others.length > 0) {
      const connectors = [first, ...others].map(({ connector }) => connector).join(" and ");
      notes.push(`${connectors} are of one kind: ${tool.names} cannot be set for both, use JIT_TARGET_….`);
      continue;
    }
    Object.assign(set, tool.of(first));
    unset.push(...tool.unset);
  }
  return { set, unset, notes };
}

/** The target's command without the password prompt, because the environment has the password. */
export function commandForTools({ kind, command }: CredentialTarget): string | null {
  return kind === "redis" ? (command?.replace(/ --askpass$/, "") ?? null) : command;
}

import { expect } from "vitest";
import { askedBelow, autoBelow, deniedBelow, manyCalls, staff } from "../../support/company-config.ts";
import { sharedProgram } from "../../support/program.ts";
import { jit, type Ended } from "./run-jit.ts";

type Somebody = "dev" | "eve" | "ann" | "sec" | "oncall" | "admin";

/** Duration and reason of the requests. */
export const why = ["--for", "1h", "--reason", "INC-42"];

const below = (prefix: string, ...groups: readonly string[]) =>
  askedBelow(prefix, { stages: groups.map((group) => ({ approvers: [`group:${group}`] })) });

/** People of a company who run `jit` against the real program, which all tests of a file share. */
export function createCliHarness() {
  const program = sharedProgram({
    config: {
      identities: staff,
      policies: [
        autoBelow("dev:", { maxDuration: "2h" }),
        below("db:", "dba"),
        below("two:", "dba", "security"),
        deniedBelow("no:"),
      ],
      catalog: [
        { name: "Development", scopes: ["read:dev:a"], description: "At once" },
        { name: "Never", scopes: ["read:no:a"] },
      ],
      breakGlass: { allowed: ["group:oncall", "sam@company.com"], review: { by: ["group:security"] } },
    },
    env: manyCalls,
  });
  let asked = 0;

  /** Runs a command line of a person against the real program. */
  const as = async (who: Somebody, ...args: readonly string[]): Promise<Ended> => {
    const { address, admin, person } = program();
    const { key } = who === "admin" ? admin : await person(who);
    return jit(args, { url: address, key, time: "real" });
  };

  /** The JSON output of a successful command line of a person. */
  const json = async (who: Somebody, ...args: readonly string[]) => {
    const { code, out, err } = await as(who, ...args, "--json");
    expect({ args, code, err: code === 0 ? "" : err }).toEqual({ args, code: 0, err: "" });
    return JSON.parse(out);
  };

  /** Submits a request for a scope of its own; returns the id. */
  const askFor = async (prefix: string, who: Somebody = "dev"): Promise<string> =>
    (await json(who, "ask", `read:${prefix}:${++asked}`, ...why)).id;

  return { program, as, json, askFor };
}
